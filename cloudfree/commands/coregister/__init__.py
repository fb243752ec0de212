"""`cloudfree coregister`."""
