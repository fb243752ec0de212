"""What executes a model: loads card and weights, takes arrays, returns arrays."""
