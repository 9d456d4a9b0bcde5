"""``demo``, ``doctor``, ``bench``, ``rescore``, and how quickly the command line answers."""

import json
import re
import resource
import subprocess

import pytest
from typer.testing import CliRunner

from judge_server import __version__
from judge_server.cli import app
from tests.command import PROGRAM, judge_server
from tests.project.repository import ROOT
from tests.stub_judge import StubJudge, faithful, text, wants_schema
from tests.submissions import checking, submission
from tests.yardstick import PATIENCE_SECONDS, slowness


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def demonstration():
    return invoke("demo")


def test_the_demonstration_shows_verdicts_and_rewards_in_110_columns(demonstration):
    lines = demonstration.stdout.splitlines()
    assert demonstration.exit_code == 0
    assert max(map(len, lines)) <= 110
    for domain in ("medical/", "writing/", "safety/", "format/"):
        assert any(domain in line for line in lines)
    assert any(line.startswith("Rewards") for line in lines)
    assert "understands nothing" in " ".join(demonstration.stdout.split())


def test_the_demonstration_as_json_is_a_judgment_a_line():
    ended = invoke("demo", "--json")
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.exit_code == 0
    assert len(found) >= 10
    assert all(one["status"] == "ok" for one in found)
    assert {one["rubric"]["id"].partition("/")[0] for one in found} == {"medical", "writing", "safety", "format"}
    assert "understands nothing" in ended.stderr


def test_the_readme_shows_what_the_demo_prints(demonstration):
    shown = re.search(r"\$ make demo\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    printed = " ".join(demonstration.stdout.split())
    assert shown is not None
    for line in shown[1].splitlines():
        assert line == "…" or " ".join(line.split()) in printed, line


def test_the_readme_computes_the_reward_that_the_demo_prints(demonstration):
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    sums, points, said = re.search(r"`off_task`[^:]*: \((.+?)\) / (\d+) = (\d\.\d+)", text).groups()
    terms = re.findall(r"([+-]?) ?([\d.]+)(?: × ([\d.]+))?", sums)
    total = sum((-1 if sign == "-" else 1) * float(one) * float(other or 1) for sign, one, other in terms)
    assert f"{total / int(points):.3f}" == said
    assert re.search(rf"tags-good +format/tags_and_tools +{re.escape(said)} ok", demonstration.stdout)


def test_the_whole_demonstration_shows_every_verdict(demonstration):
    assert len(invoke("demo", "--full").stdout.splitlines()) > len(demonstration.stdout.splitlines()) + 50


def test_the_demonstration_can_be_judged_by_another_model():
    def telling(body):
        """Takes no announcement of an answer for one."""
        reply = faithful()(body)
        if "interesting question!" in json.dumps(body["messages"]) and wants_schema(body):
            reply = text(json.dumps({"reason": "It announces.", "verdict": "No"}))
        return reply

    with StubJudge(telling) as judge:
        ended = invoke("demo", "--model", judge.specification, "--mode", "reason")
    assert ended.exit_code == 0, ended.stderr
    assert "understands nothing" not in ended.output


def test_a_demonstration_with_missing_verdicts_ends_with_1_and_counts_them():
    """In mode direct the stub answers every scale with Yes, which is no option."""
    with StubJudge() as judge:
        ended = invoke("demo", "--model", judge.specification, "--mode", "direct")
    assert ended.exit_code == 1
    assert re.search(r"\d+ verdicts are missing: \d+ low_label_mass", ended.stderr)


def test_the_doctor_says_what_is_here_and_what_to_install():
    ended = invoke("doctor", "--json")
    found = {one["subject"]: one for one in json.loads(ended.stdout)}
    assert ended.exit_code == 0
    assert found["rubrics"]["state"] == "ok"
    assert found["judge default (default)"]["state"] == "ok"
    assert "understands nothing" in found["judge default (default)"]["remedy"]
    assert all(one["remedy"] for one in found.values() if one["state"] == "absent")


def test_the_doctor_ends_with_1_where_something_is_at_fault():
    ended = invoke("doctor", "--json", "--model", "openai:stub@http://127.0.0.1:9/v1")
    faults = [one for one in json.loads(ended.stdout) if one["state"] == "fault"]
    assert ended.exit_code == 1
    assert "127.0.0.1:9" in faults[0]["found"]


def test_the_doctor_finds_broken_rubrics_and_prints_a_table(tmp_path):
    (tmp_path / "broken.yaml").write_text("id: [")
    flags = ("doctor", "--no-start", "--rubrics", tmp_path)
    ended, table = invoke(*flags, "--json"), invoke(*flags)
    (fault,) = [one for one in json.loads(ended.stdout) if one["state"] == "fault"]
    assert ended.exit_code == table.exit_code == 1
    assert "broken.yaml:2:1" in fault["found"]
    assert "judge-server rubric validate" in table.stdout


def test_bench_prints_figures_of_real_calls():
    with StubJudge() as judge:
        size = ("--prompts", 2, "--rollouts", 2, "--criteria", 3)
        ended = invoke("bench", "--model", judge.specification, *size, "--json")
        table = invoke("bench", "--model", judge.specification, *size)
    figures = json.loads(ended.stdout)
    assert figures["submissions"] == 4
    assert figures["verdicts"] == figures["verdicts_decided"] == 12
    assert figures["verdicts_per_second"] > 0
    assert "verdicts per second" in table.stdout


@pytest.fixture
def judged(tmp_path):
    """A database with two judgments, and its URL."""
    url = f"sqlite:///{tmp_path}/kept.db"
    file = tmp_path / "in.jsonl"
    items = [submission(rubric=checking()), submission(rubric=checking(), response="Wait until tomorrow and see.")]
    file.write_text("".join(json.dumps(item) + "\n" for item in items))
    ended = invoke("score", file, "--database", url)
    return url, [json.loads(line)["id"] for line in ended.stdout.splitlines()]


def test_rescoring_compares_every_judgment_of_the_rubric(tmp_path, judged):
    url, ids = judged
    (tmp_path / "new.json").write_text(
        json.dumps(checking(version="2.0.0", aggregate={"kind": "points", "scale": [0, 10]}))
    )
    ended = invoke("rescore", "--rubric", tmp_path / "new.json", "--database", url, "--json")
    found = {one["judgment"]: one for one in map(json.loads, ended.stdout.splitlines())}
    table = invoke("rescore", ids[0], "--rubric", tmp_path / "new.json", "--database", url)
    assert ended.exit_code == table.exit_code == 0
    assert [found[one]["outcome"]["reward"] for one in ids] == [10.0, 0.0]
    assert [found[one]["difference"] for one in ids] == [9.0, 0.0]
    assert "1 judgment, 1 with another reward" in table.stdout


def test_what_a_new_rubric_asks_for_the_first_time_is_named_and_left_alone(tmp_path, judged):
    url, ids = judged
    other = checking(version="2.0.0")
    other["criteria"][0]["id"] = "another"
    (tmp_path / "new.json").write_text(json.dumps(other))
    ended = invoke("rescore", "--rubric", tmp_path / "new.json", "--database", url, "--json")
    assert ended.exit_code == 0
    assert ended.stdout == ""
    assert all(one in ended.stderr for one in ids)
    assert "another" in ended.stderr


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_the_command_line_answers_at_once(flag):
    costs = []
    for _ in range(2):  # the first may have to compile what it imports
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ended = judge_server(flag)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert ended.returncode == 0
        assert (__version__ if flag == "--version" else "rescore") in ended.stdout
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < 1.5 * slowness()


ENGINES = {"vllm", "litellm", "torch", "transformers"}
SERVING = {"fastapi", "starlette", "uvicorn", "aiohttp", "jinja2", "prometheus_client"}
JUDGING = {"re2", "rapidfuzz", "py3langid", "snowballstemmer", "jsonschema", "yaml"}
FIGURES = {"numpy", "scipy", "sklearn", "pyarrow", "openpyxl"}
STORING = {"sqlalchemy", "sqlmodel", "alembic"}
NEVER = ENGINES | SERVING | FIGURES
STORED = ("--database", "sqlite:///judge.db")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With a database that holds one key."""
    made = tmp_path_factory.mktemp("stored")
    assert invoke("keys", "create", "somebody", "--database", f"sqlite:///{made}/judge.db").exit_code == 0
    return made


@pytest.mark.parametrize(
    ("line", "unneeded"),
    [
        (("--help",), NEVER | JUDGING | STORING),
        (("docs", "labels"), NEVER | JUDGING | STORING),
        (("jobs", "list", "--url", "http://127.0.0.1:9"), NEVER | JUDGING | STORING),
        (("rubric", "show", "medical/consultation"), NEVER | STORING),
        (("keys", "list", *STORED), NEVER | JUDGING | {"alembic"}),
        (("run", "list", *STORED), NEVER | JUDGING | {"alembic"}),
        (("budget", "list", *STORED), NEVER | JUDGING | {"alembic"}),
        (("database", "current", *STORED), NEVER | JUDGING),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_a_short_command_imports_only_what_it_needs(line, unneeded, folder):
    seen = judge_server(*line, cwd=folder, PYTHONPROFILEIMPORTTIME="1")
    modules = {
        found.rpartition("|")[2].strip().partition(".")[0]
        for found in seen.stderr.splitlines()
        if found.startswith("import time:")
    }
    assert "judge_server" in modules
    assert modules & unneeded == set()


WITHOUT = """
import sys
sys.modules |= dict.fromkeys(("fcntl", "grp", "pwd", "resource", "termios", "uvloop"))
sys.argv = ["judge-server", "serve"]
from judge_server.cli import main
main()
"""


def test_on_windows_the_command_says_what_it_needs():
    """Stands for a run on Windows, which there is none of here."""
    ended = subprocess.run(
        [PROGRAM.with_name("python"), "-c", WITHOUT],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "error: judge-server needs Linux or macOS: this Python has no fcntl and no resource."
    )
    assert "judge_client, runs on Windows" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["serve", "score", "demo", "rescore", "bench", "doctor", "rubric"])
def test_every_command_explains_itself(command):
    ended = invoke(command, "--help")
    assert ended.exit_code == 0
    assert "Usage" in ended.stdout
