"""Reading and writing files; the only place that knows rasterio."""
