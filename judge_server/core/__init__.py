"""The nouns of judge-server: pure values without input or output, on pydantic alone."""
