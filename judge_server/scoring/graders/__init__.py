"""Grading in the shape of OpenAI's graders: one kind a file, ``grading`` the door to all of them."""
