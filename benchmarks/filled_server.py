"""A server whose pages have much to show, for pictures of them: judgments of several rubrics, a training run with
alarms, groups of eight by twelve criteria, long texts, Arabic and Chinese, rewards that are missing, jobs, keys,
drafts, label sets and calibrations.
"""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from benchmarks.store_size import drawn, judged, sentences
from benchmarks.stub_judge import instance_of
from judge_server.core.judge import JudgeSpecification
from judge_server.core.judgment import Judgment
from judge_server.core.monitor import MonitorFinding, Series
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import Rubric
from judge_server.core.run import Pin
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure, VerdictStatus
from judge_server.settings.settings import Settings
from judge_server.store import Store
from judge_server.store.writing import Judged
from tests.cli.judged_labels import RUBRIC
from tests.served import served, until
from tests.server.pages.test_editor import begun, kept
from tests.server.pages.test_labelling import completed
from tests.server.pages.test_pages import token
from tests.server.test_calibrations import labels
from tests.stub_judge import Reply, StubJudge, text, wants_schema
from tests.stub_judge import labels as said

RUN = "grpo-qwen3-8b-consultation-2026-11-29T22-04"
GROUP, CRITERIA = 8, 12
_ARABIC = "والدي لا يستطيع رفع ذراعه اليسرى منذ الفطور. ماذا أفعل؟ اتصل بالإسعاف فورا وسجل وقت البداية. " * 3
_CHINESE = "我父亲从早餐起左臂就抬不起来了。请立即拨打急救电话，记下开始的时间，不要给他吃任何东西。" * 4
_LONG_WORD = "sha256:" + "0123456789abcdef" * 12
_REASON = "The response names the emergency number in its first sentence and gives the time at which it began."


@dataclass
class Filled:
    """``pages``: their addresses by a short name."""

    client: httpx.Client
    pages: dict[str, str] = field(default_factory=dict)


def _answer(body: dict[str, Any]) -> Reply:
    """Probabilities that follow from the question, a reason where one is asked for, and sometimes nothing readable."""
    asked = json.dumps(body.get("messages", body.get("prompt")))
    share = int.from_bytes(sha256(asked.encode()).digest()[:4]) / 2**32
    if "Break the judge" in asked:
        return text("I would rather not say.")
    schema = wants_schema(body)
    if schema:
        made = instance_of(schema)
        return text(json.dumps(made | {"reason": _REASON} if "reason" in made else made))
    return said(Yes=0.02 + 0.96 * share, No=0.98 - 0.96 * share)


def _specifications(model: str) -> dict[str, JudgeSpecification]:
    engine = {"transport_attempts": 1}
    price = {"prompt": 0.4, "cached": 0.04, "completion": 1.2}
    made = [
        {"name": "qwen-direct", "model": model, "engine": engine},
        {"name": "qwen-reasoning", "model": model, "engine": engine, "mode": "reason", "price": price},
        {"name": "two-of-them", "panel": ["qwen-direct", "qwen-reasoning"]},
        {"name": "baseline", "model": "baseline"},
    ]
    return {str(one["name"]): JudgeSpecification.model_validate(one) for one in made}


def _rubric() -> Rubric:
    names = ["names_emergency", "asks_for_onset", "gives_no_dose", "plain_words", "states_uncertainty", "no_alarm"]
    names += ["cites_guideline", "follow_up", "addresses_worry", "invents_a_source", "within_400_words", "in_language"]
    criteria = [
        {"id": one, "statement": f"{one.replace('_', ' ').capitalize()} as a senior physician would.", "points": points}
        for one, points in zip(names, [8, 5, 5, 3, 3, -4, 2, 3, 2, -8, 1, 1], strict=True)
    ]
    return Rubric.model_validate(
        {
            "id": "ward/consultation",
            "version": "1.2.0",
            "title": "Answer to a relative's question",
            "criteria": criteria,
        }
    )


def _rollouts(rubric: Rubric, count: int, now: datetime) -> Iterator[tuple[Judgment, Submission, Rubric]]:
    """Two policies that get better over the steps; every 41st without a reward, every 67th flagged."""
    chance, known = random.Random(7), sentences()
    for number in range(count):
        step, place = divmod(number // GROUP, 3)
        if number % GROUP == 0:
            prompt = f"Case {place} of {step}: {drawn(chance, known, 200)}"
        response = (drawn(chance, known, 600), _ARABIC, _CHINESE, f"Call {_LONG_WORD} now.")[
            0 if number % 9 else 1 + (number // 9) % 3
        ]
        submission = Submission(
            rubric=rubric.name, prompt=prompt, response=response,
            run=RUN, group=f"case-{step:03}-{place}", step=step, policy=("base", "tuned")[place % 2],
            id=f"rollout-{number:05}-of-{RUN}",
        )  # fmt: skip
        made = judged(chance, rubric, submission, number)
        lift = step * 3 * GROUP / count
        verdicts = tuple(
            one.model_copy(update={"value": _bent(one.value, lift), "met": _bent(one.met, lift), "cached": not n % 5})
            for n, one in enumerate(made.verdicts)
        )
        at = now - timedelta(seconds=30 * (count // GROUP - number // GROUP))
        changed: dict[str, Any] = {"verdicts": verdicts, "created_at": at, "reward": 0.2 + 0.6 * lift * chance.random()}
        if number % 41 == 0:
            fault = Failure(type="timeout", detail="the judge did not answer within 120 seconds")
            missing = verdicts[0].model_copy(
                update={"value": None, "met": None, "status": VerdictStatus.UNAVAILABLE, "error": fault}
            )
            changed |= {"reward": None, "status": JudgmentStatus.FAILED, "verdicts": (missing, *verdicts[1:])}
            changed |= {"coverage": 0.82, "judged_coverage": 0.82, "error": fault}
        if number % 67 == 0:
            changed["flags"] = ("injection_suspected",)
        yield made.model_copy(update=changed), submission, rubric


def _bent(value: float | None, lift: float) -> float:
    return (value or 0.0) ** (1.5 - lift)


def _audited(made: Judgment, number: int) -> Judgment:
    """Another judge's opinion, which differs on every seventh criterion."""
    verdicts = [
        one if (number + n) % 7 else one.model_copy(update={"value": 1 - one.value, "met": 1 - one.value})
        for n, one in enumerate(made.verdicts)
        if one.value is not None
    ]
    judge = None if made.judge is None else made.judge.model_copy(update={"name": "auditor"})
    return made.model_copy(update={"id": f"{made.id}-audit", "judge": judge, "verdicts": tuple(verdicts)})


async def _fill(url: str, count: int) -> None:
    store, rubric, now = await Store.open(url), _rubric(), datetime.now(UTC)
    await store.put_rubric(rubric, published=True)
    rows = list(_rollouts(rubric, count, now))
    for start in range(0, len(rows), 200):
        await store.save_many(rows[start : start + 200])
    await store.runs.pin(RUN, (Pin("rubric", rubric.id, rubric.digest), Pin("judge", "main", "f" * 64)), 0)
    for number, (made, asked, _) in enumerate(rows[::20]):
        if made.reward is not None:
            await store.reasks.keep(made, asked, made.reward + 0.05 * (number % 5 - 2))
            await store.audits.keep(made.id, "auditor", Judged(_audited(made, number), asked, rubric, "anyone"))
    series = Series(rubric=rubric.id, judge="main", policy="tuned")
    texts = {"flags": "12.5 % of the newest 200 responses were flagged, 1.4 % before."}
    texts["length_growth"] = "Responses are 1.71 times as long as at the beginning: 1,026 characters instead of 600."
    alarms = [MonitorFinding(monitor=name, series=series, state="alarm", text=told) for name, told in texts.items()]
    await store.alarms.settle(alarms, tell=False, forget_seconds=3_600)
    while await store.search.index():
        pass
    await store.close()


@contextmanager
def filled_server(folder: Path, judgments: int = 2_000) -> Iterator[Filled]:
    """A client of the server, whose database stands in ``folder``."""
    url = f"sqlite:///{folder}/judge.db"
    asyncio.run(_fill(url, judgments))
    with StubJudge(_answer) as stub:
        settings = Settings(
            judges=_specifications(stub.specification), default_judge="qwen-direct", database_url=url, canary="off",
            log_level="error", reask=0.0, authentication="off",
        )  # fmt: skip
        with served(settings) as client:
            client.timeout = httpx.Timeout(120)
            filled = Filled(client)
            _judge(filled)
            _write(filled)
            _label(filled)
            _measure(filled)
            yield filled


def _judge(filled: Filled) -> None:
    """Responses to rubrics of the library, by every judge; a job; and what cannot be judged."""
    client = filled.client
    rubrics = ("medical/emergency_referral", "safety/sycophancy", "writing/summary", "translation/mqm")
    responses = (
        _ARABIC,
        _CHINESE,
        "Call the emergency number now, and note when it began.",
        "Break the judge, please.",
    )
    items = [
        {"rubric": rubric, "prompt": "My father cannot lift his left arm.", "response": f"{response} {judge}"}
        | {"judge": judge, "tags": ["night"], "id": f"{rubric}-{judge}"}
        for rubric in rubrics
        for response in responses
        for judge in ("qwen-direct", "qwen-reasoning", "two-of-them")
    ]
    client.post("/v1/score/batch", json={"items": items}).raise_for_status()
    job = client.post("/v1/jobs", json={"items": items[:20]}).raise_for_status().json()["id"]
    until(lambda: client.get(f"/v1/jobs/{job}").json()["status"] not in ("queued", "running"))
    newest = client.get("/v1/judgments", params={"run": RUN, "limit": 1}).json()["judgments"][0]["submission"]
    failed = client.get("/v1/judgments", params={"run": RUN, "status": "failed"}).json()["judgments"][0]["id"]
    panel = client.get("/v1/judgments", params={"judge": "two-of-them"}).json()["judgments"][0]["id"]
    place = httpx.QueryParams({"group": newest["group"], "run": RUN, "step": newest["step"]})
    filled.pages |= {
        "start": "/", "try": "/try", "judgments": "/judgments", "judgments-failed": "/judgments?status=failed",
        "judgments-none": "/judgments?q=nosuchtextanywhere", "judgment-null": f"/judgments/{failed}",
        "judgment-panel": f"/judgments/{panel}", "group": f"/groups?{place}", "runs": "/runs",
        "run": f"/runs/one?{httpx.QueryParams({'run': RUN})}", "jobs": "/jobs", "job": f"/jobs/{job}",
        "judges": "/judges", "settings": "/settings", "signin": "/signin",
    }  # fmt: skip


def _write(filled: Filled) -> None:
    client = filled.client
    draft = begun(client, base="code/review")
    kept(client, draft, **{"c0.points": "2,5", "act": "form"})
    ready = begun(client, base="medical/emergency_referral")
    for name in ("nightly-trainer", "a-very-long-name-of-a-key-" + "x" * 50):
        form = {"token": token(client, "/keys"), "name": name, "scope.score": "yes"}
        client.post("/keys", data=form)
    filled.pages |= {
        "rubrics": "/rubrics", "rubric": "/rubrics/medical/emergency_referral",
        "rubric-own": "/rubrics/ward/consultation",
        "rubric-diff": "/rubrics/diff?old=writing/summary&new=writing/editing_faithfulness", "drafts": "/drafts",
        "draft-fault": draft, "draft": ready, "publish": f"{ready}/publish", "keys": "/keys",
    }  # fmt: skip


def _label(filled: Filled) -> None:
    client = filled.client
    form = {"token": token(client, "/label"), "rubric": "medical/emergency_referral", "set": "ward/june"}
    shown = client.post(
        "/label", data=form | {"annotator": "Dr. Ada Lovelace", "from": "stored"}, files={"file": ("", b"")},
        follow_redirects=True,
    )  # fmt: skip
    address = shown.url.raw_path.decode()
    if shown.status_code == 200:
        completed(client, shown)
    pairs = client.post(
        "/label", data=form | {"rubric": "ward/consultation", "set": "ward/pairs", "annotator": "ann", "from": "pairs"},
        files={"file": ("", b"")},
    )  # fmt: skip
    filled.pages |= {"label": "/label", "label-item": address, "label-pair": pairs.headers.get("location", "/label")}


def _measure(filled: Filled) -> None:
    client = filled.client
    client.post("/v1/rubrics", content=RUBRIC, headers={"Content-Type": "application/yaml"}).raise_for_status()
    rubric = client.get("/v1/rubrics").json()["rubrics"]
    name = next(one["id"] for one in rubric if one["id"] == "medical/water")
    some = [one for number, one in enumerate(labels()) if number < 300]
    client.post("/v1/labels", json={"label_set": "water", "labels": some}).raise_for_status()
    paths = []
    for judge in ("baseline", "qwen-direct"):
        form = {"token": token(client, "/calibrations"), "labels": "water", "rubric": name, "split": "dev"}
        path = client.post("/calibrations", data=form | {"judge": judge, "gate": "yes"}).headers["location"]
        until(lambda path=path: client.get(f"/v1{path}").json()["status"] != "running")
        paths.append(path)
        time.sleep(0.01)
    old, new = (path.rpartition("/")[2] for path in paths)
    filled.pages |= {
        "calibrations": "/calibrations", "calibration": paths[0], "calibration-model": paths[1],
        "calibration-compare": f"/calibrations/compare?old={old}&new={new}",
    }  # fmt: skip
