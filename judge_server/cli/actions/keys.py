"""Implements the commands of ``judge-server keys``."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import typer
from pydantic import ValidationError

from judge_server.cli.running import fail, run
from judge_server.core.api_key import ApiKey, id_in, new_key
from judge_server.core.caller import SCOPES
from judge_server.settings.settings import Settings
from judge_server.store.api_key_records import ApiKeyRecords
from judge_server.store.location import Location
from judge_server.store.store import Store
from judge_server.wiring.storage import opened_store, standing_store

T = TypeVar("T")
_SPAN: Final = re.compile(r"([1-9]\d{0,4})([hdw])", re.ASCII)
_NAMES: Final = "Use at most 80 of A to Z, a to z, 0 to 9 and . _ @ / -, beginning with a letter or a digit."
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True)
class Made:
    """``text`` is shown once and not stored."""

    key: ApiKey
    text: str


def made(name: str, scopes: Sequence[str], expires: str | None, allowance: Mapping[str, Any]) -> Made:
    """A new key, not stored yet. Ends the command if a value cannot be used."""
    new = new_key()
    given = {field: value for field, value in allowance.items() if value is not None}
    if "burst" in given and "requests_per_second" not in given:
        fail("--burst: how many at once is counted beside --requests-per-second only. Give both.")
    fields = {
        "id": new.id,
        "name": name,
        "sha256": new.sha256,
        "scopes": scopes,
        "allowance": given,
        "expires_at": None if expires is None else _moment(expires),
    }
    try:
        return Made(ApiKey.model_validate(fields), new.text)
    except ValidationError as fault:
        fail("; ".join(_fault(error) for error in fault.errors()))


def _fault(error: Any) -> str:
    field = error["loc"][-1 if error["loc"][0] == "allowance" else 0]
    if field == "name":
        return f"NAME: {error['input']!r} cannot be one. {_NAMES}"
    if field == "scopes":
        return f"--scope: {error['input']!r} is not known. Known: {', '.join(SCOPES)}."
    return f"--{str(field).replace('_', '-')}: {error['msg']}."


def _moment(expires: str) -> datetime:
    span = _SPAN.fullmatch(expires)
    try:
        moment = datetime.now(UTC) + int(span[1]) * _UNITS[span[2]] if span else datetime.fromisoformat(expires)
    except (ValueError, OverflowError):
        fail(f"--expires: {expires!r} is no time. Write 12h, 30d, 8w, or a date such as 2027-01-31.")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= datetime.now(UTC):
        fail(f"--expires: {expires} has passed.")
    return moment


def kept(settings: Settings, new: Made) -> Made:
    """Store the key in the database."""
    return replace(new, key=_asked(opened_store(settings), lambda keys: keys.add(new.key, datetime.now(UTC))))


def listed(settings: Settings) -> tuple[ApiKey, ...]:
    """Keys of the database, newest first, then those of the settings."""
    return (*_asked(_standing(settings, migrate=False), lambda keys: keys.all()), *settings.api_keys.values())


def revoked(settings: Settings, named: str) -> tuple[ApiKey, ...]:
    """Revoke the keys with an id or a name, or one given as a whole (leaked) key. Ends the command if no key matches,
    or if the key is in the settings."""
    named = id_in(named) or named
    found = _asked(_standing(settings), lambda keys: keys.revoke(named, datetime.now(UTC)))
    if any(named in (key.id, key.name) for key in settings.api_keys.values()):
        fail(f"{named} stands in the configuration: take it out of api_keys there and start the servers again.")
    if not found:
        fail(f"No valid API key has the id or name {named}. judge-server keys list shows them.")
    return found


def _standing(settings: Settings, *, migrate: bool = True) -> AbstractAsyncContextManager[Store]:
    """A missing database is an error, unless there are keys in the configuration."""
    return (opened_store if settings.api_keys else standing_store)(settings, migrate=migrate)


def _asked(
    opening: AbstractAsyncContextManager[Store],
    question: Callable[[ApiKeyRecords], Awaitable[T]],
) -> T:
    async def asking() -> T:
        async with opening as store:
            return await question(store.api_keys)

    return run(asking())


def show_new(new: Made, *, kept_in: str | None, as_json: bool) -> None:
    """Print the key on standard output and the notes on standard error, so that ``KEY=$(…)`` holds only the key."""
    if as_json:
        digest = {} if kept_in else {"sha256": new.key.sha256}
        typer.echo(json.dumps(_plain(new.key) | {"key": new.text} | digest))
        return
    typer.echo(new.text)
    if kept_in is None:
        typer.echo(_table(new.key))
    what = f"{kept_in} keeps its digest" if kept_in else "Nothing was kept: put the table into the configuration file"
    typer.echo(f"This is the only time that the key is shown. {what}.", err=True)


def database_of(settings: Settings) -> str:
    """For people: a file with its whole path, a server without its password."""
    location = Location.of(settings.database_url or "sqlite://")
    return str(location) if location.file is None else str(location.file.absolute())


def show(keys: Sequence[ApiKey], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_plain(key) for key in keys], indent=2))
        return
    if not keys:
        typer.echo("There are no keys. judge-server keys create NAME --scope score makes one.", err=True)
    for key in keys:
        typer.echo(_line(key))


def _line(key: ApiKey) -> str:
    state = key.fault(datetime.now(UTC)) or "is valid"
    times = [("made", key.created_at), ("expires", key.expires_at), ("last used", key.last_used_at)]
    told = [f"{what} {moment:%Y-%m-%d %H:%M}" for what, moment in times if moment is not None]
    limits = [f"{name}={value}" for name, value in key.allowance.model_dump(exclude_defaults=True).items()]
    return f"{key.id}  {key.name}  {' '.join(sorted(key.scopes))}  {state}  {', '.join([*told, *limits])}".rstrip()


def _plain(key: ApiKey) -> dict[str, Any]:
    plain = key.model_dump(mode="json", exclude={"sha256"})
    return plain | {"scopes": sorted(key.scopes), "allowance": key.allowance.model_dump(exclude_defaults=True)}


def _table(key: ApiKey) -> str:
    """The key as a table of the configuration file."""
    lines = [
        f"[api_keys.{json.dumps(key.name)}]",
        f'id = "{key.id}"',
        f'sha256 = "{key.sha256}"',
        f"scopes = {json.dumps(sorted(key.scopes))}",
    ]
    limits = key.allowance.model_dump(exclude_defaults=True)
    if limits:
        lines.append(f"allowance = {{{', '.join(f'{name} = {json.dumps(value)}' for name, value in limits.items())}}}")
    if key.expires_at is not None:
        lines.append(f"expires_at = {key.expires_at.isoformat(timespec='seconds')}")
    return "\n".join(lines)
