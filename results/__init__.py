"""What it means: the store, the estimates, the recommendation and the report."""
