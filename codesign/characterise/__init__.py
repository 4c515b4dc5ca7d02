"""Blocks drawn at random and synthesised alone: the data that cost models are fitted to."""
