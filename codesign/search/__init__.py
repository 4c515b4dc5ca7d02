"""Choosing how much of each block runs in parallel, how deep FIFOs are, and how many bits fit."""
