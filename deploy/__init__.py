"""How the server is packed and run elsewhere, and the proof that the packing works."""
