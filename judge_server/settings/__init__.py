"""All settings and their sources; the only package that reads the environment."""
