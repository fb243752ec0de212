"""Data sets of cloudy and clear images: which patches there are, and what one holds."""
