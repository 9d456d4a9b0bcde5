"""Wire formats of RL trainers, each translated to the common scoring path."""
