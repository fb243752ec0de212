"""How close a restored scene comes to the truth, as the field computes it."""
