"""Cloud-free Sentinel-2 scenes from a cloudy Sentinel-2 scene and a Sentinel-1 scene."""

__version__ = "0.1.0"
