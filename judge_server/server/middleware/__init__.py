"""ASGI middleware: request ids and headers, host check, authentication, scopes, body limits, disconnects."""
