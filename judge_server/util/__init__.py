"""Helpers without domain knowledge, each named for what it does."""
