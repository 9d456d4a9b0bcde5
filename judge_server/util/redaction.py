"""Secrets are removed from every text that leaves the program: logs, errors, stored failures.

Secrets are recognised by value, if the program was given them, and by form.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

HIDDEN: Final = "***"
_SHORTEST: Final = 8  # shorter values are words, which would be removed everywhere
_MOST: Final = 1_000
_FORMS: Final = re.compile(
    r"""(?P<kept>\bjsk_[0-9a-f]{12}_)[0-9a-f]+
      | (?P<scheme>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{16,}
      | (?P<user>://[^\s/?\#:@"'\\]*:)[^\s/?\#@"'\\]+(?=@)
      | (?P<vendor>\bsk-)[A-Za-z0-9_-]{12,}
      | (?P<name>\b(?:api[_-]?key|x-api-key|password|secret|token)["']?\s*[=:]\s*["']?)[A-Za-z0-9._~+/=-]{8,}
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)


class Secrets:
    """Values to remove from texts."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}

    def keep(self, value: str | None) -> None:
        """Remove ``value`` from now on, also in its JSON encoding."""
        if value is None or len(value) < _SHORTEST or len(self._known) >= _MOST:
            return
        for form in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
            self._known[form] = None
        self._known = dict.fromkeys(
            sorted(self._known, key=len, reverse=True)
        )  # longer values before their own substrings

    def redacted(self, text: str) -> str:
        """``text`` with a mark in place of every secret."""
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return _FORMS.sub(_without, text)


def _without(found: "re.Match[str]") -> str:
    return f"{next(part for part in found.groups() if part is not None)}{HIDDEN}"


_OF_THIS_PROCESS: Final = Secrets()
keep_secret: Final = _OF_THIS_PROCESS.keep
redacted: Final = _OF_THIS_PROCESS.redacted


def keep_keys(options: Any) -> None:
    """``keep_secret`` for every key among an engine's options, at any depth."""
    if isinstance(options, Mapping):
        for name, value in options.items():
            if isinstance(value, str) and "api_key" in name and not name.endswith("_env"):
                keep_secret(value)
            keep_keys(value)
    elif isinstance(options, list | tuple):
        for value in options:
            keep_keys(value)


_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    **{code: f"\\u{code:04x}" for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))},
}


def excerpt(text: str, most: int = 300) -> str:
    """A client's text for a log line: its first ``most`` characters, with control characters, line separators and marks
    of writing direction escaped; the rest becomes …."""
    shown = text[:most].translate(_CONTROLS)
    return shown if len(text) <= most else f"{shown}…"
