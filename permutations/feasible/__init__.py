"""The feasible space: which combinations the rules leave, found and counted without walking the others."""
