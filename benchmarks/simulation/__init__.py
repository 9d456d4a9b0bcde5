"""Simulations with known truth of the figures and decisions of calibration and monitoring: ``make simulate``."""
