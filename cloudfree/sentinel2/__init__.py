"""Sentinel-2 products: where their bands lie, what their metadata tells, how numbers are meant."""
