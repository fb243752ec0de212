"""`cloudfree simulate`."""
