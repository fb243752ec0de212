"""Cloud, shadow and snow: the score, the classes, the soft edge. Arrays in, arrays out."""
