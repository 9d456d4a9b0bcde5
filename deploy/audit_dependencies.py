"""Which of our pinned packages have known vulnerabilities: ``python -m deploy.audit_dependencies``.

An audit that finds nothing may have seen nothing. So it asks, in the same question, for versions that are known to be
vulnerable; where those are not named, nothing was audited. Exit status: 0 nothing is known, 1 something is, 2 nothing
was audited.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from packaging.utils import canonicalize_name

from deploy.advisory_source import OSV_SERVICE, Directory, Found, NothingKnown, Pin, Service, Source, together

ROOT: Final = Path(__file__).resolve().parent.parent
ACCEPTED: Final = ROOT / "deploy" / "accepted_advisories.toml"
CLEAN, FOUND, NOT_AUDITED = 0, 1, 2
CONTROLS: Final = (Pin("jinja2", "2.4.1"), Pin("pyyaml", "5.1"), Pin("urllib3", "1.24.1"))
_PINNED: Final = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[\w,.-]+\])?==([^\s;\\]+)", flags=re.MULTILINE | re.ASCII)


def pins_of(lock: str) -> set[Pin]:
    """The pins in the text of a lock."""
    return {Pin(canonicalize_name(name), version) for name, version in _PINNED.findall(lock)}


def audit(source: Source, locks: Mapping[str, str], accepted: Mapping[str, str]) -> int:
    """Ask ``source`` for every pin of ``locks`` (texts by name), and tell what it knows. ``accepted``: reasons by the
    name of a vulnerability that is lived with."""
    pinned = {name: pins_of(text) for name, text in locks.items()}
    empty = [name for name, pins in pinned.items() if not pins]
    if empty or not pinned:
        return _not_audited(f"no pins were read from {', '.join(empty) or 'no file at all'}.")
    pins = sorted(set().union(*pinned.values()))
    try:
        known = together(source.vulnerabilities([*pins, *(pin for pin in CONTROLS if pin not in pins)]))
    except NothingKnown as fault:
        return _not_audited(str(fault))
    unseen = [str(pin) for pin in CONTROLS if pin not in known]
    if unseen:
        return _not_audited(f"the source does not know that {', '.join(unseen)} is vulnerable, so it sees nothing.")
    bad = [one for pin in pins for one in known.get(pin, ()) if not _tell(one, pinned, accepted)]
    print(f"{len(pins)} pinned versions of {len(locks)} locks, {len(bad)} known vulnerabilities that nobody accepted.")
    print(f"Control: {sum(len(known[pin]) for pin in CONTROLS)} of {', '.join(map(str, CONTROLS))} were seen.")
    return FOUND if bad else CLEAN


def _tell(one: Found, pinned: Mapping[str, set[Pin]], accepted: Mapping[str, str]) -> bool:
    """Print one vulnerability; whether it is lived with."""
    where = ", ".join(name for name, pins in pinned.items() if one.pin in pins)
    reason = next((accepted[name] for name in one.names if name in accepted), None)
    print(f"{one.pin} ({where}): {' = '.join(one.names)} {one.summary}".rstrip())
    if reason is not None:
        print(f"    accepted: {reason}")
    return reason is not None


def _not_audited(why: str) -> int:
    print(f"NOTHING WAS AUDITED: {why}", file=sys.stderr)
    return NOT_AUDITED


def accepted_in(text: str, today: date) -> dict[str, str]:
    """Reasons by id, of those whose time has not passed. Raises ValueError for one without a reason or an end."""
    found: dict[str, str] = {}
    entries: Iterable[Mapping[str, Any]] = tomllib.loads(text).get("accepted", ())
    for entry in entries:
        until = entry.get("until")
        if not isinstance(until, date) or not entry.get("reason") or not entry.get("id"):
            raise ValueError(f"{entry.get('id', 'an entry')}: give id, reason and until, a date")
        if until >= today:
            found[str(entry["id"])] = f"{entry['reason']} (until {until})"
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Known vulnerabilities of the pinned packages.")
    parser.add_argument("locks", nargs="*", type=Path, help="pinned requirements (default requirements/*.lock)")
    parser.add_argument("--advisories", type=Path, metavar="DIR", help="a copy of an advisory database in OSV's format")
    parser.add_argument("--most-days", type=float, default=14, help="how old its newest record may be (default 14)")
    parser.add_argument("--service", default=OSV_SERVICE, metavar="URL", help=f"default {OSV_SERVICE}")
    given = parser.parse_args(arguments)
    paths = given.locks or sorted((ROOT / "requirements").glob("*.lock"))
    source = Directory(given.advisories, given.most_days) if given.advisories else Service(given.service)
    accepted = accepted_in(ACCEPTED.read_text("utf-8"), datetime.now(UTC).date())
    return audit(source, {path.name: path.read_text("utf-8") for path in paths}, accepted)


if __name__ == "__main__":
    sys.exit(main())
