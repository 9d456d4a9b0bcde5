"""The documentation is true: what docs/http.md shows is what the server answers, and nothing settable is left out."""

import json
import re
from typing import Any

import pytest
import typer.main

from judge_server.cli import app
from judge_server.core.judge import JudgeSpecification
from judge_server.settings.settings import Settings
from tests.project.repository import ROOT
from tests.served import served, settings_of

EXAMPLE = re.compile(r"```http\n(?P<request>.*?)```\n\n```json (?P<status>\d+)\n(?P<answer>.*?)```", re.DOTALL)
ANYTHING = "…"
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
COMMANDS = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def differences(shown: Any, real: Any, where: str = "answer") -> list[str]:
    """Where the answer is not as it is shown; members that are not shown do not matter."""
    if shown == ANYTHING:
        return []
    if isinstance(shown, dict) and isinstance(real, dict):
        absent = [f"{where}.{name} is absent" for name in shown if name not in real]
        return absent + [
            found for name in shown if name in real for found in differences(shown[name], real[name], f"{where}.{name}")
        ]
    if isinstance(shown, list) and isinstance(real, list) and len(shown) == len(real):
        pairs = enumerate(zip(shown, real, strict=True))
        return [found for place, pair in pairs for found in differences(*pair, f"{where}[{place}]")]
    if isinstance(shown, float) and isinstance(real, float):
        return [] if abs(shown - real) < 1e-9 else [f"{where} is {real}, not {shown}"]
    return [] if shown == real else [f"{where} is {real!r}, not {shown!r}"]


def test_every_example_of_the_http_page_is_what_the_server_answers():
    examples = list(EXAMPLE.finditer((ROOT / "docs" / "http.md").read_text(encoding="utf-8")))
    judgment_id = ""
    assert len(examples) > 10
    with served(settings_of()) as client:
        for example in examples:
            head, _, body = example["request"].replace("{judgment_id}", judgment_id).partition("\n\n")
            line, *headers = head.strip().splitlines()
            method, path = line.split(" ", 1)
            sent = dict(header.split(": ", 1) for header in headers)
            answer = client.request(method, path, content=body.encode(), headers=sent)
            assert answer.status_code == int(example["status"]), (line, answer.text)
            assert differences(json.loads(example["answer"]), answer.json()) == [], line
            judgment_id = judgment_id or answer.json().get("id", "")


@pytest.mark.parametrize("field", [*Settings.model_fields, *JudgeSpecification.model_fields])
def test_every_setting_and_every_field_of_a_judge_is_explained(field):
    assert f"| `{field}` |" in CONFIGURATION


@pytest.mark.parametrize("name", ["serve", "score", "demo", "doctor", "size", "bench", "rescore"])
def test_every_flag_is_documented(name):
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]  # a group has commands
    flags = {flag for parameter in command.params for flag in parameter.opts if flag.startswith("--")} - {"--help"}
    assert [flag for flag in sorted(flags) if flag not in COMMANDS] == []


def test_the_example_configuration_can_be_used(tmp_path):
    from judge_server.settings.loading import load_settings

    (example,) = re.findall(r"```toml\n(.*?)```", CONFIGURATION, re.DOTALL)
    (tmp_path / "server.toml").write_text(example)
    settings = load_settings(tmp_path / "server.toml")
    assert settings.chosen_judge == "ward"
    assert settings.judges["ward"].combine == "min"
