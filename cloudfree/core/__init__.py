"""The nouns of the program and the arithmetic on them: numpy only, no files."""
