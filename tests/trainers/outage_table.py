"""Real trainers on a CPU while their server is killed, its rubric changed, and its judge broken or replaced.

    python -m tests.trainers.outage_table [--trainer trl] [--case "rubric file removed"]

prints a row of a table for each trainer and case, in about an hour, most of it waiting. Ends with status 1 if anything
came that must not: such a row says what.
"""

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

from examples.tiny_checkpoint import build
from tests.trainers.outage_cases import CASES, TRAINERS, Finding, carry_out

_HEAD = "| trainer | what happened | steps | longest step | rewards | false | the training | what rewarded which step |"


def main() -> None:
    given = _arguments()
    missed = False
    _write(_HEAD)
    _write("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as kept:
        checkpoint = build(Path(kept) / "tiny")
        for case in given.case or CASES:
            for trainer in given.trainer or TRAINERS:
                folder = Path(kept) / f"{time.monotonic_ns()}"
                folder.mkdir()
                row, met = _row(case, trainer, folder, checkpoint)
                missed |= not met
                _write(f"| {trainer} | {case} | {row} |")
    sys.exit(missed)


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _row(case: str, trainer: str, folder: Path, checkpoint: Path) -> tuple[str, bool]:
    """The row's cells, and whether that came which must."""
    try:
        found = carry_out(CASES[case], trainer, folder, checkpoint)
    except Exception:  # noqa: BLE001 - the other cases are still to be carried out
        traceback.print_exc()
        return "MISSED", False
    outcome = found.outcome
    cells = (
        str(len(outcome.steps)),
        f"{max(step['seconds'] for step in outcome.steps):.0f} s",
        str(len(outcome.rewards)),
        str(len(found.false)),
        found.came,
        told(found),
    )
    return " | ".join(cells), not found.false


def told(found: Finding) -> str:
    """Such as ``1–2: A, 3–5: B``."""
    spans: list[list[int]] = []
    for step in sorted(found.told):
        if spans and found.told[spans[-1][0]] == found.told[step]:
            spans[-1].append(step)
        else:
            spans.append([step])
    return ", ".join(f"{span[0]}–{span[-1]}: {chr(64 + found.told[span[0]])}" for span in spans)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trainer", action="append", choices=TRAINERS)
    parser.add_argument("--case", action="append", choices=CASES)
    return parser.parse_args()


if __name__ == "__main__":
    main()
