"""Deterministic defences: what a response is before any model reads it."""
