"""Attacks on a judge, and how often they succeed with and without each of its defences."""
