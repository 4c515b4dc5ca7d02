"""Training that fits small devices: in integers alone, and by blocks with losses of their own."""
