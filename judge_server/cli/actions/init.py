"""``judge-server init``: a folder to start in, with a rubric, cases, a label sheet, settings and checks for CI."""

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import typer

from judge_server.authoring.library import rubrics_directory
from judge_server.authoring.template import template
from judge_server.core.errors import BadInput

_SETTINGS = """\
# Settings of judge-server; docs: judge-server docs configuration
rubrics = ["rubrics"]

# The judge. `baseline` counts words and understands nothing: replace it by one of your own, for example
#   model = "openai:NAME@http://127.0.0.1:8000/v1"
[judges.judge]
model = "baseline"
"""
_ANSWERS = """\
{"id": "a1", "prompt": "My laptop is slow. What can I do?", "response": "Restart it first, then close some programs."}
{"id": "a2", "prompt": "My laptop is slow. What can I do?", "response": "Buy a new one."}
"""
_CASES = """\
# What an expert would say about these responses. `judge-server rubric test rubrics` computes the rewards from these
# verdicts, without a judge; with --model it asks one and compares.
rubric: {name}
written_by: your name
rewards: {{good: [0.6, 1], bad: [0, 0.4]}}
scenarios:
  - id: slow-laptop
    prompt: "My laptop is slow. What can I do?"
    facts: {{audience: patient}}
    cases:
      - id: answered-plainly
        grade: good
        response: "Restart it first, then close some programs."
        met: [answers_question]
        options: {{plain_words: plain}}
      - id: evades
        grade: bad
        response: "There are many kinds of laptops."
        options: {{plain_words: mixed}}
      - id: invented
        grade: bad
        response: "Restart it; Smith (2041) proved that this always helps."
        met: [answers_question, invents_source]
        gates: [invents_source]
        reward: [0, 0]
"""
_WORKFLOW = """\
# On every push: rubrics are valid and follow the advice, published versions are unchanged, cases pass.
name: rubrics
on: [push, pull_request]
jobs:
  rubrics:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      # Install judge-server from where you have it: a checkout, a wheel or your own index.
      - run: pip install "$JUDGE_SERVER_WHEEL"
        env: {JUDGE_SERVER_WHEEL: "${{ vars.JUDGE_SERVER_WHEEL }}"}
      - run: judge-server rubric validate rubrics
      - run: judge-server rubric lint rubrics
      - run: judge-server rubric test rubrics
"""
_PRE_COMMIT = """\
# pre-commit install; judge-server has to be on PATH
repos:
  - repo: local
    hooks:
      - id: rubrics-validate
        name: rubrics are valid, and published versions unchanged
        entry: judge-server rubric validate rubrics
        language: system
        pass_filenames: false
      - id: rubrics-lint
        name: rubrics follow the advice
        entry: judge-server rubric lint rubrics
        language: system
        pass_filenames: false
      - id: rubrics-test
        name: rubrics pass their cases
        entry: judge-server rubric test rubrics
        language: system
        pass_filenames: false
"""


@dataclass(frozen=True)
class StartFile:
    """A file of the new folder, and what it is for."""

    path: str
    text: str
    purpose: str


def start_files(name: str) -> tuple[StartFile, ...]:
    return (
        StartFile(f"rubrics/{name}.yaml", template(name), "your rubric: replace its criteria"),
        StartFile(f"rubrics/cases/{name}.yaml", _CASES.format(name=name), "responses with the verdicts you expect"),
        StartFile("answers.jsonl", _ANSWERS, "responses to try it on"),
        StartFile("judge-server.toml", _SETTINGS, "the judge and the settings"),
        StartFile(".github/workflows/rubrics.yml", _WORKFLOW, "checks in CI"),
        StartFile(".pre-commit-config.yaml", _PRE_COMMIT, "checks before each commit"),
    )


async def make_folder(folder: Path, name: str) -> None:
    """Write the files that are not there yet. Raises BadInput if the folder cannot be written."""
    written = 0
    for file in start_files(name):
        path = folder / file.path
        if path.exists():
            typer.echo(f"kept     {path}")
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, encoding="utf-8")
        except OSError as fault:
            raise BadInput(f"{path}: {fault.strerror}.", remedy="Name a folder that can be written.") from None
        written += 1
        typer.echo(f"written  {path}: {file.purpose}")
    if written:
        _next(folder, name)


def _next(folder: Path, name: str) -> None:
    where = "" if folder == Path() else f"cd {quote(str(folder))} && "
    for line in (
        "",
        "Next:",
        f"  {where}judge-server rubric validate rubrics",
        "  judge-server rubric test rubrics",
        f"  judge-server score answers.jsonl --config judge-server.toml --rubric {name}",
        f"  judge-server calibrate sheet --rubric rubrics/{name}.yaml --items answers.jsonl --annotator YOUR_NAME",
        "  judge-server serve --config judge-server.toml",
        f"Rubrics to copy from: judge-server rubric add (the library is in {rubrics_directory()})",
    ):
        typer.echo(line)
