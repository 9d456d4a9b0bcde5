"""A model measured on prompts with rubrics: scores of its responses, by tag, and two models on the same prompts."""
