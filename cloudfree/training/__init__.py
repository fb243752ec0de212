"""Training: one loop for all networks, its recipe, its losses by name, and how it resumes."""
