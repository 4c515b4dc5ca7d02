"""Layers with fewer weights than a matrix or a convolution of the same shape."""
