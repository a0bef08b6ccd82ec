"""The recommendation: who is tied for best, which of those to take, and what a reader must know beside it."""
