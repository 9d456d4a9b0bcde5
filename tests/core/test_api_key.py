"""Keys: made at random, known by their digest, never shown."""

import pytest

from judge_server.core.api_key import ApiKey, digest_of, id_in, new_key
from judge_server.core.caller import SCOPES, Caller


def test_a_new_key_names_its_id_and_has_32_random_bytes():
    made, other = new_key(), new_key()
    assert id_in(made.text) == made.id
    assert made.sha256 == digest_of(made.text)
    assert len(bytes.fromhex(made.text.rpartition("_")[2])) == 32
    assert made.text != other.text


@pytest.mark.parametrize("text", ["", "jsk_", "jsk_00_11", "sk-live-123", "jsk_" + "0" * 12 + "_" + "f" * 65, "jsk_é"])
def test_what_has_not_the_form_of_a_key_has_no_id(text):
    assert id_in(text) is None


def test_only_the_whole_key_opens():
    made = new_key()
    key = ApiKey(id=made.id, name="trainer", sha256=made.sha256, scopes={"score"})
    assert key.opened_by(made.text)
    assert not key.opened_by(f"jsk_{made.id}_{'0' * 64}")
    assert not key.opened_by(new_key().text)


def test_a_key_shows_neither_secret_nor_digest():
    made = new_key()
    key = ApiKey(id=made.id, name="trainer", sha256=made.sha256, scopes={"score"})
    assert made.sha256 not in repr(key)
    assert made.sha256 not in repr(key.caller)


@pytest.mark.parametrize("scope", SCOPES)
def test_admin_stands_for_every_scope_and_no_other_scope_does(scope):
    assert Caller("a", frozenset({"admin"})).may(scope)
    assert [other for other in SCOPES if Caller("a", frozenset({"label"})).may(other)] == ["label"]
    assert Caller("a", frozenset({"label"})).may("author", "label")
