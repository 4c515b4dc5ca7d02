"""Networks: the built-in families and those a user brings; importing this needs no torch."""
