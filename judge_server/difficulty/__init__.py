"""Selects prompts by a policy's pass rate."""
