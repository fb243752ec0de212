"""How far Sentinel-1 lies from the optical grid, and how sure that is. Arrays in, arrays out."""
