"""Every knob, and where its value comes from; the only room that reads the environment."""
