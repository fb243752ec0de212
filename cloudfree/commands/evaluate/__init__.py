"""`cloudfree evaluate`."""
