"""Questions with short right answers. Each module has ``pairs()``; all texts are written for this project."""
