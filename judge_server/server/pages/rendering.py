"""Templates and forms of the pages: Jinja with autoescape, a strict content security policy, forms that are read once
and checked for the session's token."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from judge_server import __version__
from judge_server.core.caller import SCOPES, current_caller
from judge_server.core.coordinates import Coordinates
from judge_server.core.errors import BadInput, Forbidden
from judge_server.server.middleware.permission import scopes_of
from judge_server.server.middleware.session import Sessions, cookie_in
from judge_server.store.payload import moment
from judge_server.util.apart import apart
from judge_server.util.wording import many, money, p_value, percent

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_NAVIGATION: Final = (
    ("/", "judge-server"),
    ("/try", "Try a response"),
    ("/rubrics", "Rubrics"),
    ("/drafts", "Write"),
    ("/judgments", "Judgments"),
    ("/label", "Label"),
    ("/calibrations", "Calibrations"),
    ("/runs", "Runs"),
    ("/jobs", "Jobs"),
    ("/judges", "Judges"),
    ("/keys", "Keys"),
    ("/settings", "Settings"),
)
_MOST_FIELDS = 200
_AT_ONCE_BYTES = 65_536
_MARKS: Final = re.compile(r"(?<=[/@_:])|(?<=-)(?=\w)")
_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


class SentFile(NamedTuple):
    """``name``: as the browser says, to be shown only."""

    name: str
    content: bytes


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("judge_server.server.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["moment"] = _moment
    made.filters["breakable"] = _breakable
    made.filters["group_query"] = _group_query
    made.filters["moment_us"] = lambda value: _moment(moment(value))
    made.filters["share"] = percent
    made.filters["many"] = many
    made.filters["money"] = money
    made.filters["p_value"] = p_value
    return made


def page(request: Request, template: str, *, status: int = 200, **shown: Any) -> HTMLResponse:
    """A template with what every page shows: the caller and what they ``may``, where links begin, and the token."""
    caller = current_caller.get()
    common = {
        "root": request.app.state.root_path,
        "here": request.url.path,
        "version": __version__,
        "caller": caller,
        "may": {scope: caller.may(scope) for scope in SCOPES},
        "navigation": [one for one in _NAVIGATION if caller.may(*(scopes_of("GET", one[0]) or ("admin",)))],
        "token": sessions(request).token(cookie_in(request.scope["headers"])),
        "signed_in": bool(cookie_in(request.scope["headers"])),
    }
    text = _environment().get_template(template).render(common | shown)
    return HTMLResponse(text, status_code=status, headers={"Content-Security-Policy": POLICY})


def sent_to(request: Request, path: str) -> RedirectResponse:
    """An answer to a form: go and look there."""
    return RedirectResponse(f"{request.app.state.root_path}{path}", status_code=303)


async def form_of(
    request: Request, most_fields: int = _MOST_FIELDS, files: dict[str, SentFile] | None = None
) -> Mapping[str, str]:
    """The fields of a form; its files are put into ``files``. Raises Forbidden if it does not have the session's token,
    BadInput if it is no form."""
    try:
        if files is not None and request.headers.get("content-type", "").startswith("multipart/form-data"):
            fields = await _parts(request, most_fields, files)
        else:
            fields = await _fields(await request.body(), most_fields)
    except (ValueError, HTTPException):
        raise BadInput("The form cannot be read.", remedy="Go back, reload the page and send it again.") from None
    if fields.get("token") != sessions(request).token(cookie_in(request.scope["headers"])):
        raise Forbidden("The form does not belong to this session.", remedy="Reload the page and send it again.")
    return {name: value.replace("\r\n", "\n") for name, value in fields.items()}


async def _fields(content: bytes, most_fields: int) -> dict[str, str]:
    """Of a form whose texts are escaped; in another process if it is long. Raises ValueError."""
    if len(content) <= _AT_ONCE_BYTES:
        return _read_fields(content, most_fields)
    return await apart(current_caller.get().name, _read_fields, content, most_fields)


def _read_fields(content: bytes, most_fields: int) -> dict[str, str]:
    return dict(parse_qsl(content.decode("utf-8"), keep_blank_values=True, max_num_fields=most_fields))


async def _parts(request: Request, most_fields: int, files: dict[str, SentFile]) -> dict[str, str]:
    fields: dict[str, str] = {}
    async with request.form(max_files=1, max_fields=most_fields) as form:
        for name, value in form.items():
            if isinstance(value, str):
                fields[name] = value
            else:
                files[name] = SentFile(value.filename or "", await value.read())
    return fields


def sessions(request: Request) -> Sessions:
    found: Sessions = request.app.state.sessions
    return found


@lru_cache(maxsize=8)
def static_file(name: str) -> tuple[bytes, str] | None:
    """A file of ours and its media type; None if there is none of this name."""
    suffix = name.rpartition(".")[2]
    if suffix not in _TYPES or "/" in name:
        return None
    path = files("judge_server.server.pages") / "static" / name
    return (path.read_bytes(), _TYPES[suffix]) if path.is_file() else None


def _breakable(name: str) -> Markup:
    """A name that may go on in the next line after a mark."""
    return Markup("<wbr>").join(_MARKS.split(name))


def _group_query(place: Coordinates) -> str:
    """What leads to the group of a judgment, of one step: trainings name a prompt's group alike in every step."""
    told = {"group": place.group, "run": place.run, "step": place.step}
    return urlencode({name: value for name, value in told.items() if value is not None})


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
