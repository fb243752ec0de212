"""Training of the default cloud detector, from the scenes of many regions."""
