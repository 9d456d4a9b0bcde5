"""Wire formats of RL trainers: each a thin translation to the one scoring path."""
