"""`cloudfree search`."""
