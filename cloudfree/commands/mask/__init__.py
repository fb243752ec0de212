"""`cloudfree mask`."""
