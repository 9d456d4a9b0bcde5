"""Mutation testing of the algebra of rewards and of intervals: ``make mutate``."""
