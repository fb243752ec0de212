"""`cloudfree batch`."""
