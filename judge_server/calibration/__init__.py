"""Measures judges against people: label sets, agreement, fitted probabilities, the gate."""
