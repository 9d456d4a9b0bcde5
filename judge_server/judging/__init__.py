"""How a judge is asked and its answer read: guard, checks, prompts, judges and panels."""
