"""Sentinel-1 products: their files, their annotations, and what the numbers mean."""
