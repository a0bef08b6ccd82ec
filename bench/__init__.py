"""Running it: the only package that touches the machine."""
