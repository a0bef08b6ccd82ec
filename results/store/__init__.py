"""The store: sealed Parquet files that are whole at every moment, and how they are read."""
