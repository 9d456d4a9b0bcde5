"""The work behind judge-server calibrate."""
