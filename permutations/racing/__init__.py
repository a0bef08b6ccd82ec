"""Racing: where a full sweep is too much, the points that still may be best are run again."""
