"""Judge models: one Protocol, and one engine or provider per file."""
