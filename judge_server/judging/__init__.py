"""Ask judges and read their answers: prompts, judges, panels and programmatic checks."""
