"""`cloudfree remove`."""
