"""Two sweeps beside each other."""
