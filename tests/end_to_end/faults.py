"""A judge that fails is never a reward: the whole matrix, and random faults with retries.

    python -m tests.end_to_end.faults [--submissions 2000] [--share 0.1] [--addresses 2] [--seed 7]

A real server over HTTP, and a real HTTP server in the place of the judge. Prints one line for the matrix and one for
each mode under random faults; ends with 1 where a reward is wrong.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from math import isclose
from typing import Any

import httpx

from judge_server.core.judge import JudgeSpecification
from judge_server.settings.settings import Settings
from tests.end_to_end.fault_matrix import (
    CELLS,
    FAULTS,
    MODES,
    POLICIES,
    Cell,
    behave,
    fault_of,
    faults_in,
    judges,
    rubric,
)
from tests.served import served
from tests.stub_judge import Behaviour, Reply, StubJudge, faithful, labels, text, wants_schema
from tests.submissions import PROMPT

_DEADLINE_SECONDS = 6.0
_SUBSTITUTE = -9.0


@dataclass
class Matrix:
    """``rewards`` seen, ``nulls`` among them, ``faults`` found; ``spared``: criteria that the fault did not hit and
    that had no verdict all the same, because the judge was spared."""

    rewards: int = 0
    nulls: int = 0
    spared: int = 0
    types: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def take(self, judgment: dict[str, Any], cell: Cell, policy: str, where: str) -> None:
        self.rewards += 1
        self.nulls += judgment["reward"] is None
        missing = [number for number, verdict in enumerate(judgment["verdicts"]) if verdict["value"] is None]
        self.spared += sum(number >= cell.broken for number in missing)
        self.types.update(judgment["verdicts"][number]["error"]["type"] for number in missing)
        self.faults += [f"{cell.judge}, {policy}, {where}: {found}" for found in faults_in(judgment, cell, policy)]


@contextmanager
def judged(behaviour: Behaviour, specifications: Any, addresses: int = 1) -> Iterator[httpx.Client]:
    """A server whose judges are ``specifications`` of the stub's addresses."""
    with ExitStack() as stubs:
        listed = ",".join(stubs.enter_context(StubJudge(behaviour)).address for _ in range(addresses))
        named = {name: JudgeSpecification(name=name, **fields) for name, fields in specifications(listed).items()}
        with served(Settings(judges=named, database_url="sqlite://", log_level="error")) as client:
            yield client


def run_matrix(faults: tuple[str, ...] = tuple(FAULTS), policies: tuple[str, ...] = POLICIES) -> Matrix:
    """Every cell over every route."""
    found = Matrix()
    cells = [cell for cell in CELLS.values() if cell.fault in faults]

    def chosen(address: str) -> dict[str, Any]:
        return {cell.judge: judges(address)[cell.judge] for cell in cells}

    with judged(behave, chosen) as client, ThreadPoolExecutor(12) as together:
        for policy in policies:
            assert client.post("/v1/rubrics", json=rubric(policy)).status_code == 201
        for cell_found in together.map(lambda cell: _cell(str(client.base_url), cell, policies), cells):
            found.rewards += cell_found.rewards
            found.nulls += cell_found.nulls
            found.spared += cell_found.spared
            found.types += cell_found.types
            found.faults += cell_found.faults
    return found


def _cell(address: str, cell: Cell, policies: tuple[str, ...]) -> Matrix:
    found = Matrix()
    with httpx.Client(base_url=address, timeout=60) as client:
        for policy in policies:
            _score(client, cell, policy, found)
        _batch(client, cell, policies, found)
        _group(client, cell, policies[-1], found)
        _dialects(client, cell, policies[0], found)
    return found


def _submission(cell: Cell, policy: str, response: str) -> dict[str, Any]:
    wishes = {"judge": cell.judge, "rubric": f"matrix/{policy}"}
    return {"prompt": PROMPT, "response": f"{response} {policy}: call for help at once.", **wishes}


def _score(client: httpx.Client, cell: Cell, policy: str, found: Matrix) -> None:
    body = _submission(cell, policy, "Alone") | {"deadline_seconds": _DEADLINE_SECONDS}
    answer = client.post("/v1/score", json=body)
    document = answer.json()
    if answer.status_code == 200:
        found.take(document, cell, policy, "score")
    elif answer.status_code in (502, 503, 504) and document.get("judgment"):
        found.take(document["judgment"], cell, policy, "score")
        if (answer.headers.get("retry-after") is None) != (document.get("error_type") == "judge_refused"):
            found.faults.append(f"{cell.judge}, {policy}, score: a wrong Retry-After")
    else:
        found.faults.append(f"{cell.judge}, {policy}, score: HTTP {answer.status_code} {answer.text[:200]}")


def _batch(client: httpx.Client, cell: Cell, policies: tuple[str, ...], found: Matrix) -> None:
    items = [_submission(cell, policy, "In a batch") for policy in policies]
    answer = client.post("/v1/score/batch", json={"items": items, "deadline_seconds": _DEADLINE_SECONDS})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    for policy, result, reward in zip(policies, told["results"], told["rewards"], strict=True):
        found.take(result, cell, policy, "batch")
        if result["reward"] != reward:
            found.faults.append(f"{cell.judge}, {policy}, batch: rewards say {reward}, the judgment {result['reward']}")


def _group(client: httpx.Client, cell: Cell, policy: str, found: Matrix) -> None:
    responses = [f"In a group {number}: call for help at once." for number in range(2)]
    body = {"prompt": PROMPT, "responses": responses, "judge": cell.judge, "rubric": f"matrix/{policy}"}
    more = {"deadline_seconds": _DEADLINE_SECONDS, "advantages": True}
    answer = client.post("/v1/score/group", json=body | more)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    advantages = told["group"]["advantages"] or [None] * len(responses)
    for result, reward, advantage in zip(told["results"], told["rewards"], advantages, strict=True):
        found.take(result, cell, policy, "group")
        if result["reward"] != reward or (reward is None and advantage is not None):
            found.faults.append(f"{cell.judge}, {policy}, group: {reward} and the advantage {advantage}")


def _dialects(client: httpx.Client, cell: Cell, policy: str, found: Matrix) -> None:
    """OpenRLHF bears nothing but numbers, and gets the chosen one; slime bears an error."""
    query = {"judge": cell.judge, "deadline_seconds": str(_DEADLINE_SECONDS)}
    framed = f"<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n"
    body = {"query": [f"{framed}For OpenRLHF: call.<|im_end|>"], "prompts": [framed], "labels": [None]}
    answer = client.post(
        f"/trainers/openrlhf/matrix/{policy}", json=body, params=query | {"on_error": str(_SUBSTITUTE)}
    )
    found.rewards += 1
    if answer.status_code != 200 or answer.json()["rewards"] != [_SUBSTITUTE]:
        found.faults.append(f"{cell.judge}, openrlhf: {answer.status_code} {answer.text[:200]}")
    body = {"prompt": framed, "response": "For slime: call.<|im_end|>", "label": None}
    answer = client.post(f"/trainers/slime/matrix/{policy}", json=body, params=query)
    found.rewards += 1
    if answer.status_code not in (502, 503, 504):
        found.faults.append(f"{cell.judge}, slime: {answer.status_code} {answer.text[:200]}")


@dataclass(frozen=True)
class Shaken:
    """Of ``submissions`` rewards under random faults: ``equal`` to those without, ``typed`` as failures, ``wrong``."""

    mode: str
    submissions: int
    equal: int
    typed: int
    wrong: int
    calls: int
    broken_calls: int
    seconds: float


@dataclass
class Shaky:
    """Says Yes or No as a digest of the question decides; as the model ``shaky`` it fails on a share of the calls."""

    share: float
    chance: random.Random
    calls: int = 0
    broken: int = 0

    def __call__(self, body: dict[str, Any]) -> Reply:
        told = json.dumps(body["messages"])
        if "Shaken" not in told:
            return faithful()(body)
        schema = wants_schema(body)
        if body["model"] == "shaky":
            self.calls += 1
            if self.chance.random() < self.share:
                self.broken += 1
                return fault_of(self.chance.choice(list(FAULTS)), "reason" if schema else "direct", passing=True)[0]
        key = "".join(_numbers(told))
        met = blake2b(key.encode(), digest_size=1).digest()[0] % 2 == 0
        said = "Yes" if met else "No"
        return (
            text(json.dumps({"reason": "So.", "verdict": said}))
            if schema
            else labels(Yes=float(met), No=float(not met))
        )


def _numbers(told: str) -> Iterator[str]:
    for mark in ("Shaken ", "Says thing "):
        _, _, rest = told.partition(mark)
        yield rest.split(".", 1)[0] + "/"


def shake(mode: str, submissions: int, share: float, seed: int, addresses: int = 2) -> Shaken:
    """The same submissions by a judge that never fails and by one that fails at random, with retries. A call that timed
    out is tried at another address only, so there are two."""
    shaky = Shaky(share, random.Random(seed))
    criteria = [{"id": f"c{n}", "statement": f"Says thing {n}.", "points": 2**n} for n in range(4)]
    shape = {"id": "shaken/it", "version": "1.0.0", "title": "Shaken", "criteria": criteria}
    items = [{"prompt": PROMPT, "response": f"Shaken {n}. Call for help.", "rubric": shape} for n in range(submissions)]

    def specifications(address: str) -> dict[str, Any]:
        retries = {"attempts": 4, "engine": {"transport_attempts": 4, "timeout_seconds": 2.0}}
        fallback = {"fallback": "reason"} if mode == "direct" else {}
        return {
            name: {"model": f"openai:{name}@{address}", "mode": mode, **retries, **fallback}
            for name in ("sound", "shaky")
        }

    started = time.monotonic()
    with judged(shaky, specifications, addresses) as client:
        sound, shaken = (_rewards(client, items, judge) for judge in ("sound", "shaky"))
    equal = sum(
        reward is not None and isclose(reward, wanted, abs_tol=1e-6)
        for (wanted, _), (reward, _) in zip(sound, shaken, strict=True)
    )
    typed = sum(reward is None and bool(error) for reward, error in shaken)
    assert all(reward is not None for reward, _ in sound)
    seconds = time.monotonic() - started
    wrong = submissions - equal - typed
    return Shaken(mode, submissions, equal, typed, wrong, shaky.calls, shaky.broken, seconds)


def _rewards(client: httpx.Client, items: list[dict[str, Any]], judge: str) -> list[tuple[float | None, str | None]]:
    found: list[tuple[float | None, str | None]] = []
    for start in range(0, len(items), 100):
        body = {"items": items[start : start + 100], "judge": judge, "deadline_seconds": 60}
        answer = client.post("/v1/score/batch", json=body, timeout=120)
        assert answer.status_code == 200, answer.text
        found += [(one["reward"], (one["error"] or {}).get("type")) for one in answer.json()["results"]]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=2_000, help="in each mode")
    parser.add_argument("--share", type=float, default=0.1, help="of the judge's answers that fail")
    parser.add_argument("--addresses", type=int, default=2, help="of the judge that fails at random")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    started = time.monotonic()
    matrix = run_matrix()
    for fault in matrix.faults:
        sys.stdout.write(f"{fault}\n")
    sys.stdout.write(
        f"{len(CELLS)} cells, {matrix.rewards} rewards: {len(matrix.faults)} false, {matrix.nulls} null and typed "
        f"({', '.join(f'{count} {name}' for name, count in matrix.types.most_common())}), {matrix.spared} criteria "
        f"spared; {time.monotonic() - started:.0f} s\n"
    )
    good = not matrix.faults
    for mode in MODES:
        shaken = shake(mode, asked.submissions, asked.share, asked.seed, asked.addresses)
        good = good and shaken.wrong == 0 and shaken.equal >= 0.999 * shaken.submissions
        sys.stdout.write(f"{shaken}\n")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
