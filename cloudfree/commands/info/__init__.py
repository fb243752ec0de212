"""`cloudfree info`."""
