"""Verdicts a second of real model shapes with random weights, through the server and by vLLM alone."""
