"""Several processes behind one listening socket: their supervisor, what they ask each other, and what they share."""
