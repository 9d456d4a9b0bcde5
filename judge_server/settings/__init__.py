"""Every setting and its sources; the only room that reads the environment."""
