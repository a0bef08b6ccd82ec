"""The feasible space: the combinations that the rules leave, found and counted without visiting the others."""
