"""The virtual lab: a User-Mode-Linux guest in a sandbox."""
