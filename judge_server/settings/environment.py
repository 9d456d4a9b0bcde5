"""What is read of the environment beside the settings themselves."""

import os
from pathlib import Path

from judge_server.util.redaction import keep_secret

PREFIX = "JUDGE_SERVER_"


def secret_file() -> Path:
    """Where the XDG directories put what a program wants to remember."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path("~/.local/state")) / "judge-server" / "secret"


def environment_variable(name: str) -> str | None:
    """One variable by name, for keys that a judge's engine names (``api_key_env``)."""
    value = os.environ.get(name)
    keep_secret(value)
    return value
