"""How close a predicted scene comes to the truth, as the field computes it."""
