"""The HTTP API: routes, middleware, telemetry and the wire formats of trainers."""
