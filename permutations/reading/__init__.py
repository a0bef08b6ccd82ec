"""Parser of sweep files: every value is checked, and every error has its line."""
