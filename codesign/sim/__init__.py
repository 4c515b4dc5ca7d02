"""Cycle-exact timing of a design: a max-plus engine, and a naive stepper with the same laws."""
