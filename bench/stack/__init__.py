"""The storage stack: a context manager per layer."""
