"""What measuring needs beyond the server: said in a sentence where it is missing."""

from importlib.util import find_spec

from judge_server.cli.running import fail


def require(module: str = "scipy") -> None:
    """End the command with the remedy where ``module`` is not installed."""
    if find_spec(module) is None:
        fail(f"{module} is not installed. Measuring judges needs it: pip install 'judge-server[calibration]'.")
