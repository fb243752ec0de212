"""`cloudfree models` and `cloudfree export`."""
