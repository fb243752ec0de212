"""Sentinel-2 products: band files, metadata, number formats, radiometric offset."""
