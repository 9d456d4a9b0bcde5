"""A known vulnerability of a Python package, as the OSV format tells it (https://ossf.github.io/osv-schema/)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


@dataclass(frozen=True)
class Span:
    """Versions from ``introduced`` on, until before ``fixed`` or up to ``last_affected``; for ever without either."""

    introduced: str
    fixed: str | None = None
    last_affected: str | None = None

    def holds(self, version: Version) -> bool:
        if self.introduced != "0" and version < Version(self.introduced):
            return False
        if self.fixed is not None:
            return version < Version(self.fixed)
        return self.last_affected is None or version <= Version(self.last_affected)


@dataclass(frozen=True)
class Advisory:
    """``package`` in its canonical form; ``versions`` are named one by one beside the ``spans``."""

    id: str
    package: str
    summary: str
    aliases: tuple[str, ...]
    versions: frozenset[str]
    spans: tuple[Span, ...]
    modified: datetime

    def affects(self, version: str) -> bool:
        """Whether this version has the vulnerability. One that cannot be compared counts as affected: somebody has to
        look."""
        if version in self.versions:
            return True
        try:
            parsed = Version(version)
            return any(span.holds(parsed) for span in self.spans)
        except InvalidVersion:
            return True


def read_advisories(record: Mapping[str, Any]) -> Iterator[Advisory]:
    """One for each Python package of an OSV record; none where it was withdrawn. Raises KeyError or ValueError for what
    is no OSV record."""
    if record.get("withdrawn"):
        return
    for affected in record.get("affected", ()):
        package = affected.get("package", {})
        if package.get("ecosystem") != "PyPI":
            continue
        details = str(record.get("summary") or record.get("details") or "")
        yield Advisory(
            id=str(record["id"]),
            package=canonicalize_name(str(package["name"])),
            summary=details.strip().partition("\n")[0][:160],
            aliases=tuple(str(alias) for alias in record.get("aliases", ())),
            versions=frozenset(str(version) for version in affected.get("versions", ())),
            spans=tuple(
                span
                for told in affected.get("ranges", ())
                if told["type"] == "ECOSYSTEM"
                for span in _spans(told["events"])
            ),
            modified=_moment(record.get("modified")),
        )


def _spans(events: Sequence[Mapping[str, Any]]) -> Iterator[Span]:
    introduced: str | None = None
    for event in events:
        if "introduced" in event:
            introduced = str(event["introduced"])
        elif introduced is not None and ("fixed" in event or "last_affected" in event):
            told = {name: str(event[name]) for name in ("fixed", "last_affected") if name in event}
            yield Span(introduced, **told)
            introduced = None
    if introduced is not None:
        yield Span(introduced)


def _moment(given: Any) -> datetime:
    if isinstance(given, datetime):
        moment = given
    else:
        moment = datetime.fromisoformat(str(given)) if given else datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
