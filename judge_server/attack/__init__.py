"""Attacks on a judge, made by us, and how well a configured judge stands up to them with and without its defences."""
