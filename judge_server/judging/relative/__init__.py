"""Relative judging: compare responses to one conversation, in a list or in a tournament of pairs."""
