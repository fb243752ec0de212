"""How well other dates fill a place: clear dates under the clouds of its cloudy ones."""
