"""API keys: ``jsk_<id>_<secret>``. The server stores a digest of the whole key, never the secret.

The secret is 32 random bytes. They cannot be guessed, so one SHA-256 is enough: slow hashes are for passwords, which
people choose, and would slow down every request.
"""

import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Annotated, Final, NamedTuple

from pydantic import AwareDatetime, Field

from judge_server.core.caller import UNLIMITED, Allowance, Caller, Scope
from judge_server.core.model import Frozen

_FORM: Final = re.compile(r"jsk_([0-9a-f]{12})_[0-9a-f]{64}", re.ASCII)
KeyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@/-]{0,79}$")]
KeyId = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]


class ApiKey(Frozen):
    """``sha256``: of the whole key, as 64 hex digits. ``last_used_at`` is accurate to about a minute."""

    id: KeyId
    name: KeyName
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)
    scopes: frozenset[Scope] = Field(min_length=1)
    allowance: Allowance = UNLIMITED
    created_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    last_used_at: AwareDatetime | None = None

    def opened_by(self, presented: str) -> bool:
        """Whether ``presented`` is this key, compared in constant time."""
        return hmac.compare_digest(digest_of(presented), self.sha256)

    def fault(self, now: datetime) -> str | None:
        """Why the key is no longer valid."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "was revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "has expired"
        return None

    @property
    def caller(self) -> Caller:
        return Caller(name=self.name, scopes=self.scopes, allowance=self.allowance)


class NewKey(NamedTuple):
    """``text`` is shown once and not stored."""

    id: str
    text: str
    sha256: str


def new_key() -> NewKey:
    """A new random key."""
    key_id = secrets.token_hex(6)
    text = f"jsk_{key_id}_{secrets.token_hex(32)}"
    return NewKey(key_id, text, digest_of(text))


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def id_in(presented: str) -> str | None:
    """The id in a key; None for text that does not have the form of a key."""
    found = _FORM.fullmatch(presented)
    return found[1] if found else None
