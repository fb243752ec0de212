"""`cloudfree report`."""
