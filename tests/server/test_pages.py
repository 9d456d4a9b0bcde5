"""What the pages show can be used as it stands: commands, settings, programs, what other programs are told."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer.main
import yaml

from judge_server.cli import app
from judge_server.monitoring.webhook import signature
from judge_server.settings.loading import load_settings
from tests.command import judge_server
from tests.project.repository import ROOT
from tests.served import served
from tests.server.keys import bearer, demanding, key_of

PAGES = sorted((ROOT / "docs").glob("*.md"))
NAMES = [page.name for page in PAGES]
OPERATORS = ("security", "load", "observability", "monitoring", "guard", "configuration")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def page(name: str) -> Path:
    return ROOT / "docs" / f"{name}.md"


def commands(of: Path) -> list[list[str]]:
    """The arguments of each ``judge-server`` in the page's shell blocks, without redirections and variables."""
    found = []
    for block in blocks(of, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            called = re.match(r"(?:[A-Z_]+=\S+ )*judge-server (.*?)(?:\s[|>].*)?$", line)
            if called:
                found.append(shlex.split(called[1], comments=True))
    return found


@pytest.mark.parametrize("of", PAGES, ids=NAMES)
def test_every_command_line_is_one_that_the_program_understands(of):
    for arguments in commands(of):
        command: Any = typer.main.get_command(app)
        left = arguments
        while left and left[0] in getattr(command, "commands", {}):
            command, left = command.commands[left[0]], left[1:]
        command.make_context(command.name, left)


def test_the_commands_for_keys_can_be_given_one_after_the_other(tmp_path):
    given = [words for words in commands(page("security")) if words[0] == "keys"]
    assert [words[1] for words in given] == ["create", "create", "list", "revoke"]
    done = [judge_server(*words, cwd=tmp_path) for words in given]
    assert [one.returncode for one in done] == [0] * 4
    assert "was revoked" in done[-1].stdout


@pytest.mark.parametrize("name", OPERATORS)
def test_every_table_of_settings_can_be_used(name, tmp_path):
    shown = blocks(page(name), "toml")
    for number, block in enumerate(shown):
        file = tmp_path / f"{number}.toml"
        file.write_text(block, encoding="utf-8")
        load_settings(file)


def test_the_receiver_of_the_webhook_tells_ours_from_others():
    (program,) = blocks(page("monitoring"), "python")
    names: dict[str, Any] = {}
    exec(program, names)
    body = b'{"id": "alt_1"}'
    header = signature(body, "a-secret-of-ours", 1_800_000_000)
    assert names["genuine"](header, body, b"a-secret-of-ours")
    assert not names["genuine"](header, body + b" ", b"a-secret-of-ours")
    assert not names["genuine"](header, body, b"a-secret-of-theirs")


def test_prometheus_is_let_in_and_its_alerts_find_the_server():
    (shown,) = blocks(page("observability"), "yaml")
    (scraped,) = yaml.safe_load(shown)["scrape_configs"]
    alerts = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    assert re.fullmatch(re.findall(r'up\{job=~"([^"]+)"\}', alerts)[0], scraped["job_name"])
    assert set(scraped["authorization"]) == {"credentials_file"}, "a bearer token, as nothing else is said"
    key, kept = key_of("prometheus", "admin")
    with served(demanding(kept)) as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers=bearer(key)).status_code == 200


def test_probes_ask_what_needs_no_key():
    shown = yaml.safe_load(blocks(page("security"), "yaml")[0])
    probes = [probe["httpGet"]["path"] for name, probe in shown.items() if name.endswith("Probe")]
    assert len(probes) == 3
    _, kept = key_of("somebody")
    with served(demanding(kept, trusted_hosts=("judge.internal",))) as client:
        for path in probes:
            assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == httpx.codes.OK


def test_the_lines_that_a_collector_reads_are_json():
    for line in blocks(page("observability"), "json"):
        assert json.loads(line)["logger"] == "judge_server.access"
