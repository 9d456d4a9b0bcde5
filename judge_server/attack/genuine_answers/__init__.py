"""Questions with short right answers, one kind a file. Each has ``pairs()``; all texts are written by us."""
