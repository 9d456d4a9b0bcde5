"""The wire formats of RL trainers, over real HTTP."""
