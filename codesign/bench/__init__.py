"""Published comparisons of quantisation methods, run anew under one protocol."""
