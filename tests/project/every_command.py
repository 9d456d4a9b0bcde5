"""Runs every command of the installed judge-server once, in this process and in the current folder, which is empty at
first. Prints JSON: the commands that there are, and for each line of words its exit status and output.

It is carried out by the interpreter of another environment, so it imports nothing of the tests.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.testing import CliRunner

from judge_server.cli import app

STORED = "--database sqlite:///judge.db"
RUBRIC = "--rubric medical/consultation"
NOBODY = "--url http://127.0.0.1:9"
RUNS = f"""
demo
init grading --rubric support/tickets
doctor --no-start
size --rollouts 16 --criteria 2 --tokens 100 --model Qwen3-8B --gpu H100 --engines 1
docs
docs labels
rubric new my/own -o own.yaml
rubric validate own.yaml
rubric lint own.yaml
rubric schema
rubric show medical/consultation
rubric add medical/consultation --as my/copy
rubric test medical/consultation
rubric diff medical/consultation medical/consultation
rubric publish own.yaml --rubrics .
rubric export medical/consultation -f healthbench --lossy -o exported.json
rubric import healthbench exported.json --id my/back
score answers.jsonl {RUBRIC} {STORED}
show --run r {STORED}
rescore {RUBRIC} {STORED}
bench --prompts 1 --rollouts 1 --criteria 1
attack --list
calibrate list
calibrate import labels.csv {STORED}
calibrate sheet {RUBRIC} --items items.jsonl --annotator me
data difficulty rollouts.jsonl
monitor {STORED}
monitor queue draw --label-set a/b {STORED}
monitor queue export open.jsonl --label-set a/b {STORED}
monitor queue estimate --label-set a/b {STORED}
monitor preference r {STORED}
run list {STORED}
run show r {STORED}
run prompts r {STORED}
run repin r --reason wording {STORED}
exam --list --pairs 1 --families lists
calibrate export labels.csv --format csv --out again.csv
calibrate certificates {STORED}
database current {STORED}
database upgrade --dry-run {STORED}
database check {STORED}
database recount {STORED}
database stats {STORED}
database prune --dry-run {STORED}
database erase --run r --reason wish {STORED}
database downgrade 0010 --dry-run {STORED}
keys create somebody {STORED}
keys list {STORED}
keys revoke somebody {STORED}
budget set --run r --tokens 1000 {STORED}
budget list {STORED}
budget remove --run r {STORED}
"""
NEEDS_CHECKS = "rubric test science/derivation"
NEEDS_THE_EXTRA = f"""
calibrate report labels.csv
calibrate disagreements labels.csv
calibrate compare labels.csv labels.csv
calibrate run --labels labels.csv {RUBRIC}
calibrate fit labels.csv {RUBRIC}
calibrate cascade labels.csv --rubric medical/consultation --first cheap --then strong
calibrate improve labels.csv {RUBRIC} --out better
calibrate tune labels.csv {RUBRIC} --out tuned
calibrate gate labels.csv
eval answers.jsonl {RUBRIC}
rubric audit medical/consultation {STORED}
"""
NEEDS_A_SERVER = f"""
jobs submit answers.jsonl {NOBODY}
jobs list {NOBODY}
jobs show job_{"0" * 24} {NOBODY}
jobs wait job_{"0" * 24} {NOBODY}
jobs results job_{"0" * 24} {NOBODY}
jobs cancel job_{"0" * 24} {NOBODY}
jobs cost job_{"0" * 24} {NOBODY}
"""
NEEDS_A_MODEL = """
rubric draft my/draft --task Grade.
rubric propose medical/consultation --from answers.jsonl --out proposed
"""
NEEDS_LABELS = f"monitor queue import open.jsonl --label-set a/b --annotator me {STORED}"


def write_inputs() -> None:
    answer = {"prompt": "I have a headache.", "response": "Drink water and rest.", "group": "g", "run": "r", "step": 1}
    Path("answers.jsonl").write_text(json.dumps(answer) + "\n", encoding="utf-8")
    item = {"item": "i1", "prompt": "I have a headache.", "response": "Drink water and rest."}
    Path("items.jsonl").write_text(json.dumps(item) + "\n", encoding="utf-8")
    rows = [f"i{n},worded,a{who},human,{n % 2}" for n in range(6) for who in (1, 2)]
    heading = "item,criterion,annotator,role,label"
    Path("labels.csv").write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")
    rollouts = [{"prompt": "p", "reward": reward} for reward in (0, 1, 1, 0)]
    Path("rollouts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rollouts), encoding="utf-8")


def names(command: object, words: tuple[str, ...] = ()) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if not inner or (getattr(command, "invoke_without_command", False) and words):
        yield " ".join(words)
    for name, below in (inner or {}).items():
        yield from names(below, (*words, name))


def outcome(line: str) -> dict[str, object]:
    ended = CliRunner().invoke(app, line.split())
    told = f"{ended.output}\n{getattr(ended, 'stderr', '')}"
    broken = ended.exception is not None and not isinstance(ended.exception, SystemExit)
    return {"status": ended.exit_code, "told": f"{told}\n{ended.exception!r}" if broken else told, "broken": broken}


def main() -> None:
    write_inputs()
    lists = {
        "runs": RUNS,
        "extra": NEEDS_THE_EXTRA,
        "checks": NEEDS_CHECKS,
        "server": NEEDS_A_SERVER,
        "labels": NEEDS_LABELS,
        "model": NEEDS_A_MODEL,
    }
    found = {kind: {line: outcome(line) for line in lines.strip().splitlines()} for kind, lines in lists.items()}
    json.dump({"commands": sorted(names(typer.main.get_command(app))), **found}, sys.stdout)


if __name__ == "__main__":
    main()
