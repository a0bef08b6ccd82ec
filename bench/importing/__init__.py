"""Reading what other people measured: one file per format, and one way from them into a store."""
