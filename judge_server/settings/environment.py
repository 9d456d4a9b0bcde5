"""Reads from the environment other than the settings."""

import os
import secrets
from pathlib import Path

from judge_server.core.errors import BadConfiguration
from judge_server.util.redaction import keep_secret

PREFIX = "JUDGE_SERVER_"


def secret_file() -> Path:
    """The secret file in the XDG state directory."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path("~/.local/state")) / "judge-server" / "secret"


def environment_variable(name: str) -> str | None:
    """One variable by name, for keys that a judge's engine names (``api_key_env``)."""
    value = os.environ.get(name)
    keep_secret(value)
    return value


_BYTES = 32


def secret_of(path: Path) -> bytes | None:
    """The secret in the file, which is created if absent; None if it cannot be written.

    Raises BadConfiguration for a file that is too short.
    """
    try:
        if not path.exists():
            _make(path)
        secret = path.read_bytes()
    except OSError:
        return None
    if len(secret) < _BYTES:
        raise BadConfiguration(
            f"The secret file {path} has {len(secret)} bytes, fewer than {_BYTES}.",
            remedy=f"Remove it, and it is made anew; or write {_BYTES} random bytes or more into it.",
        )
    return secret


def _make(path: Path) -> None:
    """Create the file atomically; if several processes do so at once, the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(_BYTES))
        if not path.exists():
            os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
