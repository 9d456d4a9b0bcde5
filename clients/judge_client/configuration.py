"""Where the server is and what is asked of it: arguments, else environment variables, else defaults. The only reader of
the environment."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any
from urllib.parse import urlsplit

from judge_client.errors import BadConfiguration

DEFAULT_URL = "http://127.0.0.1:8000"
_ROUTES = frozenset({"v1", "trainers", "docs", "openapi.json", "healthz", "readyz", "metrics"})
PRIORITIES = ("training", "interactive", "batch", "audit")

# What other libraries call our options.
OTHER_NAMES = {
    "timeout": "deadline_seconds",
    "timeout_seconds": "deadline_seconds",
    "base_url": "url",
    "endpoint": "url",
    "server": "url",
    "address": "url",
    "host": "url",
    "key": "api_key",
    "token": "api_key",
    "model": "judge",
    "judge_name": "judge",
    "rubrics": "rubric",
    "rubric_id": "rubric",
    "retries": "attempts",
    "max_retries": "attempts",
    "on_error": "on_failure",
    "fallback": "on_failure",
    "max_connections": "connections",
}


def environment(name: str) -> str | None:
    """One variable; set to nothing is not set."""
    return os.environ.get(name, "").strip() or None


_PREFIX = "JUDGE_"
VARIABLES = (
    *("URL", "API_KEY", "RUBRIC", "NAME", "ON_FAILURE", "ON_CHANGE", "RUN"),
    *("DEADLINE_SECONDS", "PATIENCE_SECONDS", "ATTEMPTS", "PRIORITY", "SLEEP_LEVEL"),
)
_SHORTEST_DEADLINE = 0.01  # below it no server can answer


@dataclass(frozen=True)
class Address:
    """``url``: of the server. ``api_key`` goes out as a bearer token and is in no repr."""

    url: str
    api_key: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str | None, api_key: str | None) -> Address:
        """Raises BadConfiguration for what is no address."""
        refuse_misspelt(os.environ)
        _require_text("url", url)
        _require_text("api_key", api_key)
        chosen = (url or environment("JUDGE_URL") or DEFAULT_URL).rstrip("/")
        if not _is_address(chosen):
            raise BadConfiguration(f"url: {chosen!r} is no address.", remedy=_address_remedy(chosen))
        _refuse_paths(chosen)
        return cls(chosen, _key(api_key or environment("JUDGE_API_KEY")))

    @property
    def shown(self) -> str:
        """The address for messages, without a user name and password."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"


@dataclass(frozen=True)
class Terms:
    """What a call asks for where its samples say nothing. ``deadline_seconds`` bounds the whole call, retries included;
    None leaves it to the server."""

    rubric: str | Mapping[str, Any] | None = None
    judge: str | None = None
    deadline_seconds: float | None = None
    priority: str | None = None

    def __post_init__(self) -> None:
        seconds = plain_number("deadline_seconds", self.deadline_seconds)
        object.__setattr__(self, "deadline_seconds", seconds)
        if not isinstance(self.rubric, str | Mapping | None):
            raise BadConfiguration(
                f"rubric: a {type(self.rubric).__name__} is no rubric.",
                remedy="Give one name such as medical/consultation, or a whole rubric as a dict.",
            )
        if isinstance(self.rubric, str) and (self.rubric.lstrip().startswith("{") or "\n" in self.rubric.strip()):
            raise BadConfiguration(
                "rubric: the text of a rubric is no name.",
                remedy="Give it as a dict (json.loads, yaml.safe_load), or publish it and give its name.",
            )
        if seconds is not None and not (math.isfinite(seconds) and _SHORTEST_DEADLINE <= seconds <= 86_400):
            raise BadConfiguration(
                f"deadline_seconds: {seconds} is not in [{_SHORTEST_DEADLINE}, 86400].",
                remedy="Give seconds, and enough of them for a judge's answer.",
            )
        if self.priority is not None and self.priority not in PRIORITIES:
            raise BadConfiguration(
                f"priority: {self.priority!r} is not known.", remedy=f"Choose one of {', '.join(PRIORITIES)}."
            )

    def with_environment(self) -> Terms:
        """What no argument said, from JUDGE_RUBRIC, JUDGE_NAME, JUDGE_DEADLINE_SECONDS and JUDGE_PRIORITY."""
        return Terms(
            rubric=environment("JUDGE_RUBRIC") if self.rubric is None else self.rubric,
            judge=environment("JUDGE_NAME") if self.judge is None else self.judge,
            deadline_seconds=seconds_of("JUDGE_DEADLINE_SECONDS")
            if self.deadline_seconds is None
            else self.deadline_seconds,
            priority=environment("JUDGE_PRIORITY") if self.priority is None else self.priority,
        )


def _address_remedy(url: str) -> str:
    """How what is no address should have been written."""
    if url[:1] in ("'", '"') or url[-1:] in ("'", '"'):
        return "Write it without quotation marks (JUDGE_URL)."
    if url.count("://") > 1 or "," in url:
        return f"Write one address, http://HOST:PORT, such as {DEFAULT_URL} (JUDGE_URL)."
    if url.count(":") > 2 and "[" not in url:
        return "Write an IPv6 address in brackets, such as http://[::1]:8000 (JUDGE_URL)."
    return f"Write http://HOST:PORT with the server's host and port, such as {DEFAULT_URL} (JUDGE_URL)."


def _refuse_paths(url: str) -> None:
    """Raises BadConfiguration for the address of a route: a prefix that a proxy adds may stay."""
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}"
    if parts.query or parts.fragment:
        before = url.partition("?")[0].partition("#")[0].rstrip("/")
        raise BadConfiguration(
            f"url: {url!r} has a query, which no route of the client takes.", remedy=f"Write {before} (JUDGE_URL)."
        )
    names = parts.path.split("/")
    for place, name in enumerate(names):
        if name in _ROUTES:
            ending = "/".join(["", *names[place:]])
            raise BadConfiguration(
                f"url: {url!r} ends in {ending}, which the client adds by itself.",
                remedy=f"Write {base}{'/'.join(names[:place])} (JUDGE_URL).",
            )


def _require_text(name: str, given: Any) -> None:
    if given is not None and not isinstance(given, str):
        wanted = "url='http://HOST:PORT'" if name == "url" else f"{name}='TEXT'"
        raise BadConfiguration(f"{name}: a {type(given).__name__} is no text.", remedy=f"Write {wanted}.")


def refuse_misspelt(given: Iterable[str]) -> None:
    """Raises BadConfiguration for a variable whose name is nearly that of one of ours: it would do nothing."""
    for name in given:
        ending = name.removeprefix(_PREFIX)
        if name == ending or ending in VARIABLES or ending.startswith("SERVER"):
            continue
        near = get_close_matches(ending, VARIABLES, 1, 0.8)
        if near and not ending.startswith(near[0]):  # one of ours with something behind it is somebody's own
            raise BadConfiguration(
                f"The variable {name} is not known and would do nothing.", remedy=f"Did you mean {_PREFIX}{near[0]}?"
            )


def _key(key: str | None) -> str | None:
    if key is None:
        return None
    if key.lower().startswith("bearer "):
        raise BadConfiguration(
            "api_key: the key begins with 'Bearer', which the client adds by itself.",
            remedy="Give the key alone (JUDGE_API_KEY).",
        )
    if any(char.isspace() for char in key.strip()) or key[:1] in ("'", '"'):
        raise BadConfiguration(
            "api_key: a key holds no white space and no quotation marks.",
            remedy="Give the key alone, without the name of a header (JUDGE_API_KEY).",
        )
    if not (key.isascii() and key.isprintable()):
        raise BadConfiguration("api_key: a key is one line of ASCII.", remedy="Correct api_key (JUDGE_API_KEY).")
    return key


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        single = url.count("://") == 1 and not any(char.isspace() or char == "," for char in url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and single
    except ValueError:  # a port or an IPv6 address that is none
        return False


def seconds_of(name: str) -> float | None:
    """The variable's value, or None if it is not set. Raises BadConfiguration if it holds anything else."""
    text = environment(name)
    try:
        return None if text is None else float(text)
    except ValueError:
        raise BadConfiguration(f"{name}: {text!r} is no number.", remedy="Give seconds.") from None


def whole_number(name: str) -> int | None:
    """The variable's value, or None if it is not set. Raises BadConfiguration if it holds anything else."""
    text = environment(name)
    try:
        return None if text is None else int(text)
    except ValueError:
        raise BadConfiguration(f"{name}: {text!r} is no whole number.", remedy="Give 1 or more.") from None


def refuse_unknown(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raises BadConfiguration for a name that is not ``known``, with the option which was probably meant."""
    ours = sorted(known)
    for name in given:
        if name not in ours:
            other = OTHER_NAMES.get(name)
            near = [other] if other in ours else get_close_matches(name, ours, 1)
            remedy = f"Did you mean {near[0]}?" if near else f"Its options are {', '.join(ours)}."
            raise BadConfiguration(f"{what} has no option {name!r}.", remedy=remedy)


def options_of(function: Callable[..., Any]) -> list[str]:
    """The names of the arguments that can be given by name."""
    kinds = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    return [name for name, one in signature(function).parameters.items() if one.kind in kinds and name != "self"]


def plain_number(name: str, given: Any) -> float | None:
    """A number, also one of numpy or torch. Raises BadConfiguration for anything else."""
    plain = given.item() if hasattr(given, "item") else given
    if plain is None or (isinstance(plain, int | float) and not isinstance(plain, bool)):
        return plain
    raise BadConfiguration(f"{name}: {given!r} is no number.", remedy=f"Write {name}=60, without quotation marks.")
