"""Relative judging: responses to one conversation beside each other, in a list or in a tournament of pairs."""
