"""`cloudfree train`."""
