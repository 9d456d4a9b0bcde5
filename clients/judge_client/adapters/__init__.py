"""One small module per trainer, importable by dotted path."""
