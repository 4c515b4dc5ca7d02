"""How much memory a network takes, in inference and in training, at any widths."""
