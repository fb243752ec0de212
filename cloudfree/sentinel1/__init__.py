"""Sentinel-1 products: files, annotations, units, geocoding."""
