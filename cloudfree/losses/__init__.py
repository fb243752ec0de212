"""What the networks learn from, one idea a file.

Images are (n, band, y, x) on one scale; every loss is a scalar, the mean over the batch. Compute
them in single precision, outside autocast. Masks are (n, y, x), 1 where cloud (or its shadow) hides
the ground, else 0, of any type.
"""
