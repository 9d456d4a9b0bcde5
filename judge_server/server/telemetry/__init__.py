"""What an operator sees of the server at work: metrics, log lines, traces."""
