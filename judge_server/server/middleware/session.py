"""A signed-in browser: a cookie that names an API key, signed with the database's secret, so that every replica accepts
it and a revoked key ends it. The cookie opens pages, and the reports to which they lead, but no other route of
programs."""

import hashlib
import hmac
import re
import time
from http.cookies import CookieError, SimpleCookie
from typing import Final, NamedTuple

COOKIE: Final = "judge_session"
LASTS_SECONDS: Final = 12 * 3600
_KEY_ID = 12
_MOST_BYTES = 4_096
_REPORT: Final = re.compile(r"/v1/(exams/[^/]+/report|improvements/[^/]+/files/[^/]+)")


class Session(NamedTuple):
    """``token``: what a form of this session must send back."""

    key_id: str
    token: str


class Sessions:
    """Begins and reads sessions. ``secret``: at least 32 bytes that nobody else knows."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hashlib.sha256(b"pages" + secret).digest()

    def begun(self, key_id: str, now: float | None = None) -> str:
        """The value of a new session's cookie."""
        ends = int((time.time() if now is None else now) + LASTS_SECONDS)
        named = f"{key_id}.{ends}"
        return f"{named}.{self._mac('session', named)}"

    def read(self, cookie: str, now: float | None = None) -> Session | None:
        """The session of a cookie; None if it is not ours or has ended."""
        named, _, mac = cookie.rpartition(".")
        key_id, _, ends = named.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac("session", named).encode()) or len(key_id) != _KEY_ID:
            return None
        if not ends.isdecimal() or int(ends) <= (time.time() if now is None else now):
            return None
        return Session(key_id, self.token(cookie))

    def token(self, cookie: str) -> str:
        """The token for forms, against forms of other sites; without a session for the empty cookie. It belongs to the
        key: a form that was open while its session ended can be sent after signing in with the same key."""
        return self._mac("form", cookie.partition(".")[0])

    def _mac(self, purpose: str, text: str) -> str:
        return hmac.new(self._secret, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


def cookie_in(headers: list[tuple[bytes, bytes]]) -> str:
    """The session's cookie of a request; empty if it has none."""
    given = next((value for name, value in headers if name == b"cookie"), b"")
    if len(given) > _MOST_BYTES:
        return ""
    try:
        found = SimpleCookie(given.decode("latin-1")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


PAGES: Final = (
    "/try",
    "/rubrics",
    "/judgments",
    "/groups",
    "/label",
    "/calibrations",
    "/drafts",
    "/runs",
    "/jobs",
    "/judges",
    "/keys",
    "/settings",
    "/signin",
    "/signout",
)


def is_page(path: str) -> bool:
    """Whether a path is one of the pages."""
    return path == "/" or any(path == start or path.startswith(f"{start}/") for start in PAGES)


def opens(method: str, path: str) -> bool:
    """Whether a session opens a path: the pages, and the reports to which they lead."""
    return is_page(path) or (method in ("GET", "HEAD") and _REPORT.fullmatch(path) is not None)
