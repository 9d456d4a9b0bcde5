"""Choosing prompts by how often a policy passes them."""
