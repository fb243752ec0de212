"""A scene of fields, river, settlement and woods with consistent radar and spectra, and clouds."""
