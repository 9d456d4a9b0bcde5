"""The version of the guard: its rules decide which responses get a reward without a judge."""

from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files


def guard_version(veto: Iterable[str] = (), thin_responses: str = "witness", thin_characters: int = 0) -> str:
    """12 hexadecimal digits that stand for the guard's code and patterns; then what the server's settings change: the
    flags that it vetoes, and how it treats thin responses."""
    vetoed = "+".join(sorted(veto))
    parts = (
        f"veto {vetoed}" if vetoed else "",
        f"thin_responses {thin_responses}" if thin_responses != "witness" else "",
        f"thin_characters {thin_characters}" if thin_characters else "",
    )
    return " ".join(filter(None, (_rules(), *parts)))


@cache
def _rules() -> str:
    """A digest of the files, so that no change of a rule can keep the old version."""
    content = sha256()
    for file in sorted(files("judge_server.guard").iterdir(), key=lambda file: file.name):
        if file.name.endswith((".py", ".toml", ".bin")):
            content.update(file.name.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return content.hexdigest()[:12]
