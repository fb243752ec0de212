"""Reading and writing rasters through rasterio: COGs, warps, windows, overviews."""
