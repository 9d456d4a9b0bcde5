"""Keys for tests of who may do what."""

from typing import Any

import httpx

from judge_server.core.api_key import ApiKey, new_key
from judge_server.core.caller import Allowance
from judge_server.settings.settings import Settings
from tests.served import settings_of


def key_of(name: str = "trainer", *scopes: str, **fields: Any) -> tuple[str, ApiKey]:
    """A key's text, and what the server keeps of it."""
    made = new_key()
    kept = ApiKey(id=made.id, name=name, sha256=made.sha256, scopes=scopes or ("score",), **fields)
    return made.text, kept


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def demanding(*keys: ApiKey, model: str = "baseline", **settings: Any) -> Settings:
    """Settings of a server that demands one of these keys, on loopback."""
    kept = {key.id: key for key in keys}
    return settings_of(model, authentication="required", api_keys=kept, **settings)


def allowing(**limits: Any) -> tuple[str, ApiKey]:
    return key_of("bounded", "score", allowance=Allowance(**limits))


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem document of an answer that should be one."""
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert document["type"] == f"urn:judge-server:error:{slug}"
    return document
