"""The user's own secret: made once, private, and the beginning of every new database."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from judge_server.core.errors import BadConfiguration
from judge_server.settings.environment import secret_of


def test_a_secret_is_made_once_and_nobody_else_may_read_it(tmp_path):
    file = tmp_path / "state" / "secret"
    first = secret_of(file)
    assert first is not None
    assert len(first) == 32
    assert secret_of(file) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["secret"]


def test_many_that_make_it_at_once_agree(tmp_path):
    with ThreadPoolExecutor(16) as threads:
        made = set(threads.map(lambda _: secret_of(tmp_path / "secret"), range(64)))
    assert len(made) == 1


def test_where_no_file_can_be_kept_there_is_no_secret(tmp_path):
    (tmp_path / "file").write_text("")
    assert secret_of(tmp_path / "file" / "secret") is None


def test_a_file_that_is_no_secret_is_refused_by_name(tmp_path):
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(BadConfiguration, match="5 bytes"):
        secret_of(tmp_path / "secret")
