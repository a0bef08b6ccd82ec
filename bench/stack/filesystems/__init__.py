"""Filesystems: a module each, found by name; adding one means adding a file here."""
