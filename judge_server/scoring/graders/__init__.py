"""Grading in the shape of OpenAI's graders; ``grading`` runs every kind."""
