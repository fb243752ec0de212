"""`cloudfree compare`."""
