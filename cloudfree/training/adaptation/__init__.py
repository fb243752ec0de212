"""Learning from the clear ground of one scene."""
