"""`cloudfree remove --adapt`."""
