"""Racing: a design for spaces that are too large for a full sweep; it repeats only points that may be the best."""
