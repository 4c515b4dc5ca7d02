"""The hardware blocks; `BLOCKS` is the one list that lowering, search, cost and simulator read."""
