"""What executes a model: loads card and weights, takes arrays, returns arrays."""

import os

# Before torch is loaded. By default its threads spin while they wait for each other: beside other
# busy processes on two cores a tile of the default model took 2.0 s that way and 0.1 s asleep.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
