"""The domain model of judge-server: pure values without I/O; depends on pydantic only."""
