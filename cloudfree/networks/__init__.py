"""Architectures, one file each, that read from top to bottom."""
