"""Where known vulnerabilities are asked for: the OSV service, or a copy of an advisory database on the disk."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import httpx
import yaml

from deploy.advisory import Advisory, read_advisories

OSV_SERVICE: Final = "https://api.osv.dev"
_AT_ONCE: Final = 500
_MOST_PAGES: Final = 50


class Pin(NamedTuple):
    """A package in its canonical form, at one version."""

    package: str
    version: str

    def __str__(self) -> str:
        return f"{self.package}=={self.version}"


class NothingKnown(Exception):
    """The source cannot be asked: then nothing was audited."""


class Found(NamedTuple):
    """A vulnerability of a pin. ``names``: its id and those that other databases give it."""

    pin: Pin
    names: tuple[str, ...]
    summary: str = ""


class Source(Protocol):
    """Raises NothingKnown."""

    def vulnerabilities(self, pins: Sequence[Pin]) -> list[Found]: ...


class Directory:
    """OSV records in files, JSON or YAML, as in a clone of the Python Packaging Advisory Database. A copy whose newest
    record is older than ``most_days`` is refused: what became known since is not in it."""

    def __init__(self, path: Path, most_days: float) -> None:
        self._path = path
        self._most_days = most_days

    def vulnerabilities(self, pins: Sequence[Pin]) -> list[Found]:
        known: dict[str, list[Advisory]] = defaultdict(list)
        newest = datetime.fromtimestamp(0, UTC)
        for advisory in self._advisories():
            known[advisory.package].append(advisory)
            newest = max(newest, advisory.modified)
        if not known:
            raise NothingKnown(f"{self._path} holds no OSV records of Python packages.")
        age = datetime.now(UTC) - newest
        if age > timedelta(days=self._most_days):
            raise NothingKnown(f"The newest record in {self._path} is {age.days} days old: bring the copy up to date.")
        return [
            Found(pin, (advisory.id, *advisory.aliases), advisory.summary)
            for pin in pins
            for advisory in known.get(pin.package, ())
            if advisory.affects(pin.version)
        ]

    def _advisories(self) -> Iterator[Advisory]:
        for path in sorted(self._path.rglob("*")):
            if path.suffix in (".json", ".yaml", ".yml") and path.is_file():
                try:
                    record = _record(path)
                    yield from read_advisories(record)
                except (KeyError, ValueError, TypeError, AttributeError, RecursionError, yaml.YAMLError) as fault:
                    raise NothingKnown(f"{path} is no OSV record: {fault}.") from fault


def _record(path: Path) -> Mapping[str, Any]:
    text = path.read_text("utf-8")
    loaded = json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=yaml.CSafeLoader)
    if not isinstance(loaded, Mapping) or "id" not in loaded:
        raise ValueError("no object with an id")
    return loaded


class Service:
    """The API of OSV: one question for many pins at a time."""

    def __init__(self, url: str = OSV_SERVICE) -> None:
        self._url = url

    def vulnerabilities(self, pins: Sequence[Pin]) -> list[Found]:
        found: list[Found] = []
        try:
            with httpx.Client(base_url=self._url, timeout=60) as client:
                for start in range(0, len(pins), _AT_ONCE):
                    found += _asked(client, pins[start : start + _AT_ONCE])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as fault:
            raise NothingKnown(f"{self._url} gave no answer that can be read: {fault!r}.") from fault
        return found


def _asked(client: httpx.Client, pins: Sequence[Pin]) -> Iterator[Found]:
    waiting: list[tuple[Pin, str | None]] = [(pin, None) for pin in pins]
    for _ in range(_MOST_PAGES):
        answer = client.post("/v1/querybatch", json={"queries": [_query(*asked) for asked in waiting]})
        results = answer.raise_for_status().json()["results"]
        if len(results) != len(waiting):
            raise ValueError(f"{len(results)} answers to {len(waiting)} questions")
        more: list[tuple[Pin, str | None]] = []
        for (pin, _token), result in zip(waiting, results, strict=True):
            for vulnerability in result.get("vulns") or ():
                yield Found(pin, (str(vulnerability["id"]),))
            if result.get("next_page_token"):
                more.append((pin, str(result["next_page_token"])))
        if not more:
            return
        waiting = more
    raise ValueError("the answer has no end")


def _query(pin: Pin, token: str | None) -> dict[str, Any]:
    query: dict[str, Any] = {"package": {"name": pin.package, "ecosystem": "PyPI"}, "version": pin.version}
    return query if token is None else query | {"page_token": token}


def together(found: Iterable[Found]) -> dict[Pin, list[Found]]:
    """By pin, each vulnerability once."""
    grouped: dict[Pin, list[Found]] = defaultdict(list)
    for one in found:
        if not any(set(one.names) & set(other.names) for other in grouped[one.pin]):
            grouped[one.pin].append(one)
    return dict(grouped)
