"""Adaptation of a model to the clear ground of one scene."""
