"""Signals of drift, saturation and reward hacking over stored judgments: pure functions of their rows."""
