"""The page people look at: pictures, figures, one self-contained file."""
