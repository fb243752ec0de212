"""The functions that `import cloudfree` offers: on paths, and on arrays without files."""
