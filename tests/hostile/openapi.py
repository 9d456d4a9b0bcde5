"""Every route of the OpenAPI document is tried by schemathesis: no 5xx, and nothing that the document does not say.

    python -m tests.hostile.openapi [--examples 100] [--coverage] [--keys] [--seed 7]

The judge is healthy, so that a 502, 503 or 504 would be the server's own fault. schemathesis runs as a process of its
own: nothing of it comes into the tests' process.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.served import served, settings_of
from tests.server.keys import bearer, demanding, key_of
from tests.stub_judge import StubJudge
from tests.submissions import submission

_HERE = Path(__file__).parent
_TALKING = re.compile(r"(\d+) generated")
_OPERATIONS = re.compile(r"Tested: (\d+)")


@dataclass(frozen=True)
class Outcome:
    """``report``: what schemathesis wrote; ``cases``: requests that it made."""

    sound: bool
    operations: int
    cases: int
    seconds: float
    report: str


def try_every_route(*, examples: int, phases: str = "fuzzing", seed: int = 7, keys: bool = False) -> Outcome:
    """The whole document against a running server. ``keys``: it demands API keys, and every request brings one."""
    program = Path(sys.executable).with_name("schemathesis")
    started = time.monotonic()
    text, kept = key_of("all", "score", "author", "label", "admin")
    with (
        StubJudge() as judge,
        served(demanding(kept, model=judge.specification) if keys else settings_of(judge.specification)) as client,
        tempfile.TemporaryDirectory() as out,
    ):
        client.headers.update(bearer(text))
        flags = ("--header", f"Authorization: {client.headers['authorization']}") if keys else ()
        known = json.dumps(_known(client))
        command = [
            program, "--config-file", _HERE / "schemathesis.toml", "run", f"{client.base_url}/openapi.json",
            "--phases", phases, "--max-examples", examples, "--seed", seed,
            "--continue-on-failure", "--no-shrink", "--suppress-health-check", "all", "--request-timeout", 20, *flags,
        ]  # fmt: skip
        environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.hostile.openapi_hooks", "NO_COLOR": "1"}
        environment["JUDGE_TESTS_KNOWN"] = known
        environment["PYTHONPATH"] = str(_HERE.parent.parent)
        ended = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, check=False, cwd=out, env=environment
        )
    report = ended.stdout + ended.stderr
    return Outcome(
        sound=ended.returncode == 0,
        operations=_number(_OPERATIONS, report),
        cases=_number(_TALKING, report),
        seconds=time.monotonic() - started,
        report=report,
    )


def _known(client: httpx.Client) -> dict[str, Any]:
    """What there is, by the name of the parameter or field that asks for it; under a path what holds only there."""
    judged = client.post("/v1/score", json=submission())
    job = client.post("/v1/jobs", json={"items": [submission()]})
    label = {"item": "i", "criterion": "c0", "annotator": "a", "label": True}
    labels = client.post("/v1/labels", json={"label_set": "some", "labels": [label]})
    assert (judged.status_code, job.status_code, labels.status_code) == (200, 202, 201)
    rubric_name = "medical/consultation"
    return {
        "rubric": rubric_name,
        "rubric_id": rubric_name,
        "judge": "default",
        "judgment_id": judged.json()["id"],
        "job_id": job.json()["id"],
        "on_error": "-1",
        "deadline_seconds": 5,
        "/v1/rubrics/{name}": {"name": rubric_name},
        "/v1/rubrics/{rubric_id}/diff": {"from": "1.0.0", "to": "1.0.0"},
        "/v1/label-sets/{name}": {"name": "some", "split": "dev"},
    }


def _number(pattern: re.Pattern[str], report: str) -> int:
    found = pattern.search(report)
    return int(found[1]) if found else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=100, help="requests of each kind for each route")
    parser.add_argument("--coverage", action="store_true", help="every boundary of every schema, too: takes minutes")
    parser.add_argument("--keys", action="store_true", help="the server demands API keys")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    phases = "examples,coverage,fuzzing" if asked.coverage else "fuzzing"
    outcome = try_every_route(examples=asked.examples, phases=phases, seed=asked.seed, keys=asked.keys)
    sys.stdout.write(outcome.report)
    sys.stdout.write(
        f"{outcome.operations} operations, {outcome.cases} requests, {outcome.seconds:.0f} s: "
        f"{'nothing found' if outcome.sound else 'faults above'}\n"
    )
    sys.exit(0 if outcome.sound else 1)


if __name__ == "__main__":
    main()
