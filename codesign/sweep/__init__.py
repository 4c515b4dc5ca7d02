"""Many points at once: bit widths, targets, boards, seeds, networks; one row of a table each."""
