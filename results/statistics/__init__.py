"""Statistics: methods on plain numbers, each with its source and held to published reference values."""
