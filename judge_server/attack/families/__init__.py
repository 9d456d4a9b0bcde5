"""The corpus, one kind of attack a file. Each has ``attacks()``; all texts are written by us."""
