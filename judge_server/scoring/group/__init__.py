"""Rollouts of one prompt: collected, judged, compared with each other, and their rewards beside each other."""
