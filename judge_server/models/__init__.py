"""The foreign border: one Protocol, and one engine or provider per file."""
