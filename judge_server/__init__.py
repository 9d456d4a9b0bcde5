"""A batched judge-model server: responses and expert rubrics in, rewards for reinforcement learning out."""

__version__ = "0.1.0"
