"""What a request meets before its route: who sends it, how large it is, what it may do."""
