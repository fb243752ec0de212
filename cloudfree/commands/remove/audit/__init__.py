"""The audit of `cloudfree remove`: whether a result is what it should be."""
