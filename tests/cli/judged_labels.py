"""A file of labelled items that the embedded baseline judges well, and the rubric that they belong to."""

import csv
from contextlib import chdir
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from judge_server.cli import app

STATEMENT = "Recommends drinking plenty of water."
RUBRIC = f"""\
id: medical/water
version: 1.0.0
title: Advice on drinking
criteria:
  - id: water
    statement: {STATEMENT}
    points: 1
"""
HELPFUL = "It recommends drinking plenty of water, {}."
OTHER = "Take a walk and call your doctor, {}."


def write(folder: Path, items: int = 300, *, right: float = 0.95, texts: bool = True) -> tuple[Path, Path]:
    """Labels and rubric. Two people see what is there with this probability; each item has a prompt of its own."""
    random = np.random.default_rng(0)
    labels, rubric = folder / "labels.csv", folder / "water.yaml"
    rubric.write_text(RUBRIC, encoding="utf-8")
    with labels.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["item", "criterion", "annotator", "role", "label", *(["prompt", "response"] if texts else [])])
        for number in range(items):
            there = number % 2 == 0
            text = (HELPFUL if there else OTHER).format(f"case {number}")
            for person in ("ann", "bob"):
                said = there == bool(random.random() < right)
                extra = [f"My head aches ({number}).", text] if texts else []
                rows.writerow([f"i{number}", "water", person, "human", "yes" if said else "no", *extra])
    return labels, rubric


def run(folder: Path, *words: object, status: int = 0):
    """A command in this folder, inside the process: its standard output and error."""
    with chdir(folder):
        done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == status, done.output
    return done
