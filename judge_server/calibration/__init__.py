"""Judges measured against people: label sets, agreement, fitted probabilities, the gate."""
