"""Training under the budget of a board; importing this package does not import torch."""
