"""Helpers without knowledge of the domain; each is named for what it does."""
