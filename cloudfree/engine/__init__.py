"""Tiles in, blended rows out: knows only core, not files and not networks."""
