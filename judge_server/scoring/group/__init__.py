"""Rollouts of one prompt: collected, judged, compared with each other, and rewarded."""
