"""The work of ``judge-server eval``: rows, responses, scores, tables."""
