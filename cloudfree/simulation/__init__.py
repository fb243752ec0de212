"""A scene of fields, river, town and woods whose radar and spectra belong together, and clouds."""
