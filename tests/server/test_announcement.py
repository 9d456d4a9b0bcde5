"""The first lines of the log name the configuration file that was read, and the judge that answers without one."""

import logging

import pytest

from judge_server.server.announcement import announce
from judge_server.settings.loading import load_settings


@pytest.fixture(autouse=True)
def without_environment(monkeypatch):
    for name in ("JUDGE_SERVER_CONFIG", "JUDGE_SERVER_JUDGES", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def _told(caplog, config=None, **flags) -> str:
    with caplog.at_level(logging.INFO, "judge_server.server.announcement"):
        announce(load_settings(config).with_flags(**flags))
    return caplog.text


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_the_file_that_was_read_is_named_however_it_was_given(caplog, tmp_path, monkeypatch, way):
    config = tmp_path / "mine.toml"
    config.write_text('database_url = "postgresql://judge:hidden@db.internal/judge"\n')
    if way == "variable":
        monkeypatch.setenv("JUDGE_SERVER_CONFIG", str(config))
    told = _told(caplog, config if way == "flag" else None, port=8123)
    assert f"configuration: {config}" in told
    assert "db.internal" in told
    assert "hidden" not in told


def test_without_a_file_the_embedded_baseline_is_named(caplog):
    told = _told(caplog)
    assert "configuration: defaults, environment and flags" in told
    assert "judge default (default): baseline" in told
