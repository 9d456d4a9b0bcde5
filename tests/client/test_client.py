"""Every route of a real server, through the blocking and the asynchronous client."""

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor

import pytest

from judge_client import AsyncClient, Client, JudgeFailed, Sample
from judge_client.errors import (
    BadConfiguration,
    BadRubric,
    BadSample,
    DeadlineExceeded,
    JobConflict,
    NotFound,
    RubricConflict,
    TooLarge,
    UnknownJob,
    UnknownJudgment,
    UnknownRubric,
)
from judge_server.server.app import create_app
from judge_server.settings.settings import Settings
from tests.client.both import both_ways
from tests.served import judged_by, served, settings_of
from tests.stub_judge import Reply, StubJudge, faithful

RUBRIC = """
id: clinic/NAME
version: VERSION
title: Advice on a minor complaint
aggregate: {kind: points, clip: [0, 1]}
criteria:
  - {id: red_flags, statement: Names a symptom that needs emergency care., points: 7}
  - {id: short, kind: check, statement: Has at most 40 words., points: 1, check: {kind: length, unit: words, max: 40}}
"""
SAMPLE = Sample("I have a headache.", "Rest. A stiff neck is an emergency.", id="row-1", group="g", step=0)
NAMED = {"rubric": "medical/consultation"}
NOT_OF_THE_CLIENT = (
    "/trainers/",
    "/v1/fine_tuning/",
    "/v1/systemone",
    "/v1/decisions",
    "/v1/monitor",
    "/v1/runs",
    "/v1/erasures",
    "/v1/budgets",
    "/classify",
)


def rubric_of(ask, version: str = "1.0.0") -> str:
    return RUBRIC.replace("NAME", ask.__name__).replace("VERSION", version)


@both_ways
def test_a_sample_is_judged(ask, url):
    judgment = ask(url, "score", SAMPLE, **NAMED)
    assert judgment.status == "ok"
    assert 0 <= judgment.require() <= 1
    assert judgment.submission.id == "row-1"
    assert judgment.submission.step == 0
    assert judgment.rubric.id == "medical/consultation"
    assert judgment.judge.model == "baseline"
    assert {verdict.source for verdict in judgment.verdicts} == {"judge", "check"}


@both_ways
def test_plain_data_is_a_sample_and_its_own_rubric_goes_first(ask, url):
    given = {"prompt": "p", "response": "r", "rubric": "writing/creative_story", "judge": None}
    assert given["rubric"] in {one.id for one in ask(url, "rubrics")}
    assert ask(url, "score", given, **NAMED).rubric.id == given["rubric"]
    assert ask(url, "score", given | {"rubric": None}, **NAMED).rubric.id == "medical/consultation"


@both_ways
def test_a_long_batch_comes_back_whole_and_in_order(ask, url):
    samples = [Sample("p", f"answer {n}", id=str(n)) for n in range(19)]  # the server takes 8
    told: list[tuple[int, int]] = []
    found = ask(url, "score_batch", samples, **NAMED, progress=lambda *how_far: told.append(how_far))
    assert [one.submission.id for one in found] == [str(n) for n in range(19)]
    assert all(one.reward is not None for one in found)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (19, 19)


@both_ways
def test_a_large_batch_is_cut_to_what_the_server_takes(ask):
    with served(settings_of(max_body_bytes=20_000)) as client:
        samples = [Sample("p", "word " * 100, id=str(n)) for n in range(60)]  # about 33 kB
        found = ask(str(client.base_url), "score_batch", samples, rubric=INLINE)
        assert [one.submission.id for one in found] == [str(n) for n in range(60)]
        with pytest.raises(TooLarge, match="20000 bytes"):
            ask(str(client.base_url), "score_batch", [Sample("p", "word " * 5_000)], rubric=INLINE)


@both_ways
def test_an_empty_batch_asks_nobody(ask):
    assert ask("http://127.0.0.1:9", "score_batch", []) == []


@both_ways
def test_one_bad_item_spoils_no_other(ask, url):
    good, bad = ask(url, "score_batch", [SAMPLE, Sample(" ", "r")], **NAMED)
    assert good.reward is not None
    assert (bad.reward, bad.error.type) == (None, "bad_submission")
    with pytest.raises(JudgeFailed, match="prompt"):
        bad.require()


@both_ways
def test_rubrics_are_listed_read_checked_published_and_compared(ask, url):
    name = f"clinic/{ask.__name__}"
    assert ask(url, "validate_rubric", rubric_of(ask)).valid
    wrong = ask(url, "validate_rubric", rubric_of(ask).replace("points: 7", "pionts: 7"))
    assert not wrong.valid
    assert "points" in wrong.findings[0].suggestion
    assert ask(url, "publish_rubric", rubric_of(ask)).new
    assert not ask(url, "publish_rubric", rubric_of(ask)).new
    with pytest.raises(RubricConflict):
        ask(url, "publish_rubric", rubric_of(ask).replace("points: 7", "points: 5"))
    with pytest.raises(BadRubric) as caught:
        ask(url, "publish_rubric", rubric_of(ask).replace("points: 7", "pionts: 7"))
    assert caught.value.problem["findings"][0]["line"]
    document = ask(url, "rubric", f"{name}@1.0.0")
    heavier = {**document.rubric, "version": "2.0.0", "title": "Another"}
    assert ask(url, "publish_rubric", heavier).reference.version == "2.0.0"
    assert ask(url, "rubric", name).versions == ("2.0.0", "1.0.0") or set(ask(url, "rubric", name).versions)
    difference = ask(url, "diff_rubrics", name, "1.0.0", "2.0.0")
    assert [change.field for change in difference.changes] == ["title"]
    assert name in {entry.id for entry in ask(url, "rubrics")}
    with pytest.raises(UnknownRubric):
        ask(url, "rubric", "no/such thing?#")


@both_ways
def test_judgments_are_kept_listed_and_rescored(ask, url):
    group = f"kept-{ask.__name__}"
    made = ask(url, "score_batch", [Sample("p", f"r {n}", group=group) for n in range(3)], **NAMED)
    page = ask(url, "judgments", group=group, limit=2, status="ok", since="2020-01-01T00:00:00Z")
    assert len(page.judgments) == 2
    rest = ask(url, "judgments", group=group, cursor=page.next_cursor)
    assert {one.id for one in (*page.judgments, *rest.judgments)} == {one.id for one in made}
    assert ask(url, "judgment", made[0].id).submitted["prompt"] == "p"
    with pytest.raises(UnknownJudgment):
        ask(url, "judgment", "jdg_0")
    kept, unknown = ask(url, "rescore", [made[0].id, "jdg_0"], "medical/consultation")
    assert (kept.rescored.difference, kept.error) == (0.0, None)
    assert (unknown.rescored, unknown.error.type) == (None, "unknown_judgment")


def test_all_judgments_are_every_page(url):
    samples = [Sample("p", f"r {n}", group="pages") for n in range(5)]
    with Client(url) as client:
        made = {one.id for one in client.score_batch(samples, **NAMED)}
        assert {one.id for one in client.all_judgments(group="pages", limit=2)} == made

    async def collected() -> set[str]:
        return {one.id async for one in AsyncClient(url).all_judgments(group="pages", limit=2)}

    assert asyncio.run(collected()) == made


@both_ways
def test_labels_go_in_and_out_and_a_calibration_runs_on_them(ask, url):
    label_set = f"set-{ask.__name__}"
    ask(url, "publish_rubric", rubric_of(ask, "3.0.0"))
    labels = [
        {"item": f"i{n}", "criterion": "red_flags", "annotator": who, "label": met, "prompt": "p", "response": f"r {n}"}
        for n in range(6)
        for who, met in (("ann", n % 2 == 0), ("bob", n % 3 == 0))
    ]
    added = ask(url, "add_labels", label_set, labels[:8])
    assert (added.added.new, added.label_set) == (8, label_set)
    ask(url, "add_labels", label_set, labels[8:])
    assert label_set in {one.id for one in ask(url, "label_sets")}
    found = ask(url, "label_set", label_set, limit=3)
    assert (len(found.labels), found.total <= 12) == (3, True)
    began = ask(
        url, "calibrate", label_set, f"clinic/{ask.__name__}@3.0.0", partial=True, split="all", reader="r", reason="t"
    )
    assert ask(url, "calibration", began.id).status in {"running", "done", "failed"}
    assert ask(url, "calibrations", limit=1).calibrations is not None
    with pytest.raises(NotFound):
        ask(url, "label_set", "no-such-set")


@both_ways
def test_a_job_is_begun_waited_for_read_and_listed(ask, url):
    samples = [Sample("p", f"Rest, {n}.", id=str(n)) for n in range(12)]  # more than a batch may hold
    told: list[tuple[int, int]] = []
    begun = ask(url, "begin_job", samples, **NAMED, key=ask.__name__)
    assert ask(url, "begin_job", samples, **NAMED, key=ask.__name__).id == begun.id
    with pytest.raises(JobConflict):
        ask(url, "begin_job", samples[:3], **NAMED, key=ask.__name__)
    done = ask(url, "wait_for_job", begun.id, deadline_seconds=60, progress=lambda *how_far: told.append(how_far))
    assert (done.status, done.finished, done.ok, told[-1]) == ("done", 12, 12, (12, 12))
    results = ask(url, "job_results", begun.id)
    assert [(one.index, one.judgment.submission.id) for one in results] == [(n, str(n)) for n in range(12)]
    assert all(one.judgment.require() >= 0 for one in results)
    assert [one.index for one in ask(url, "job_results", begun.id, after=9)] == [10, 11]
    assert ask(url, "cancel_job", begun.id) == ask(url, "job", begun.id)
    assert begun.id in {one.id for one in ask(url, "jobs", status="done").jobs}
    with pytest.raises(UnknownJob):
        ask(url, "job", f"job_{0:024}")


@both_ways
def test_a_job_that_takes_longer_than_we_wait_goes_on(ask):
    def behave(body):
        return Reply(delay_seconds=30) if "Is kind." in str(body) else faithful()(body)

    with judged_by(behave) as (client, _judge):
        begun = ask(str(client.base_url), "begin_job", [Sample("p", "r")], rubric=INLINE)
        with pytest.raises(DeadlineExceeded, match="0 of 1 results"):
            ask(str(client.base_url), "wait_for_job", begun.id, deadline_seconds=1.0)
        assert not ask(str(client.base_url), "job", begun.id).ended
        assert ask(str(client.base_url), "cancel_job", begun.id).status == "cancelled"


@both_ways
def test_operations(ask, url):
    (judge,) = ask(url, "judges")
    assert (judge.name, judge.default, judge.healthy) == ("default", True, True)
    assert ask(url, "healthz") == {"status": "alive"}
    assert ask(url, "readyz").judge == "default"
    assert "judge_server_judgments_total" in ask(url, "metrics")


@both_ways
def test_a_group_has_statistics(ask, url):
    responses = ["Rest.", "A stiff neck is an emergency.", "word " * 300]
    found = ask(url, "score_group", "p", responses, **NAMED, advantages=True, group="g1", ids=["a", None, "c"])
    assert [one.submission.id for one in found.results] == ["a", None, "c"]
    assert found.group.count == 3
    assert sum(found.group.advantages) == pytest.approx(0)
    assert [one.reward for one in found.results] == list(found.rewards)


@both_ways
@pytest.mark.parametrize("advantages", [True, "grpo", "dr_grpo", "rloo", False])
def test_a_group_in_parts_says_what_a_whole_one_says(ask, url, advantages):
    responses = ["word " * n for n in (1, 10, 100, 200, 300, 400, 500, 600)]
    options = {**NAMED, "advantages": advantages}
    whole = ask(url, "score_group", "p", responses, **options)
    with served(settings_of(max_batch_items=3)) as small:
        parts = ask(str(small.base_url), "score_group", "p", responses, **options)
    assert parts.rewards == whole.rewards
    assert (parts.group.advantages is None) == (advantages is False)
    assert parts.group.advantages == pytest.approx(whole.group.advantages)
    assert (parts.group.mean, parts.group.std) == pytest.approx((whole.group.mean, whole.group.std))
    assert parts.group.zero_variance == whole.group.zero_variance
    assert (parts.group.expected, parts.group.complete) == (whole.group.expected, whole.group.complete)


@both_ways
def test_a_group_that_is_compared_is_never_cut(ask, url):
    with pytest.raises(TooLarge, match=r"9 elements are more than the 8.*max_batch_items"):
        ask(url, "score_group", "p", ["r"] * 9, **NAMED, relative=True)


@both_ways
def test_a_group_is_compared(ask, judge):
    with served(settings_of(judge.specification)) as client:
        options = {"rubric": INLINE, "group": ask.__name__, "relative": {"kind": "pairwise"}, "min_cohort": 2}
        found = ask(str(client.base_url), "score_group", "p", ["one", "two"], **options, evaluation_seconds=20)
    assert found.group.relative.kind == "pairwise"
    assert found.group.relative.judge.name == "default"
    assert len(found.group.relative.rewards) == len(found.rewards) == len(found.errors) == 2
    assert all(
        (reward is None) == (error is not None) for reward, error in zip(found.rewards, found.errors, strict=True)
    )


@both_ways
def test_a_cohort_comes_together_from_several_calls(ask, url):
    def member(response: str):
        options = {"group": f"cohort-{ask.__name__}", "expected": 2, "advantages": "rloo"}
        return ask(url, "score_group", "p", [response], **NAMED, **options, deadline_seconds=30)

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(member, ["Rest.", "A stiff neck is an emergency."])
    assert first.group.complete
    assert first.group.collected == second.group.collected == 2
    assert first.group.advantages[0] == pytest.approx(-second.group.advantages[0])


def test_ids_are_one_for_each_response():
    with pytest.raises(BadSample, match="1 for 2 responses"):
        Client("http://127.0.0.1:9").score_group("p", ["a", "b"], ids=["1"])


@both_ways
def test_a_judge_that_fails_gives_results_without_rewards(ask):
    def behave(body):
        return Reply(503, headers={"Retry-After": "1"}) if "r0" in str(body) else faithful()(body)

    with judged_by(behave) as (client, _judge):
        url = str(client.base_url)
        found = ask(url, "score_batch", [Sample("p", "r0", rubric=INLINE), Sample("p", "r1", rubric=INLINE)])
        assert [(one.status, one.failure and one.failure.type) for one in found] == [
            ("failed", "judge_unavailable"),
            ("ok", None),
        ]
        alone = ask(url, "score", Sample("p", "r0", rubric=INLINE))
        assert (alone.reward, alone.error.type) == (None, "judge_unavailable")


INLINE = {
    "id": "in/line",
    "version": "1.0.0",
    "title": "t",
    "criteria": [{"id": "a", "statement": "Is kind.", "points": 1}],
}


@pytest.mark.parametrize(
    "behave", [lambda _: Reply(reset=True), lambda _: Reply(delay_seconds=60)], ids=["reset", "slow"]
)
@both_ways
def test_a_judge_that_hangs_up_or_sleeps_is_told_within_the_deadline(ask, behave):
    def then(body):
        return behave(body) if "Is kind." in str(body) else faithful()(body)  # the start asks other things

    with judged_by(then) as (client, _judge):
        found = ask(str(client.base_url), "score", Sample("p", "r", rubric=INLINE), deadline_seconds=3.0)
        assert found.reward is None
        assert found.error.type in {"judge_unavailable", "timeout"}


def test_both_clients_have_the_same_methods_with_the_same_arguments():
    def surface(kind) -> dict[str, list[str]]:
        methods = inspect.getmembers(kind, inspect.isfunction)
        return {name: list(inspect.signature(method).parameters) for name, method in methods if name[0] != "_"}

    blocking = surface(Client)
    assert blocking.pop("close")
    assert surface(AsyncClient) == blocking


@both_ways
def test_an_engine_is_sent_to_sleep_and_woken(ask):
    with StubJudge(sleeps=True) as judge, served(settings_of(judge.specification)) as client:
        address = str(client.base_url)
        assert [one.asleep for one in ask(address, "sleep", level=2, waiting="refuse")] == [True]
        (engine,) = ask(address, "engines")
        assert (engine.model, engine.level, engine.waiting) == ("stub", 2, "refuse")
        assert [one.asleep for one in ask(address, "wake", holder="rank 0")] == [False]
        with pytest.raises(BadConfiguration, match="drain_seconds"):
            ask(address, "sleep", drain_second=1)


@both_ways
def test_an_exam_is_begun_and_found_again(ask, url):
    begun = ask(url, "examine", pairs=1, families=["polarity"], seed=3)
    assert ask(url, "exam", begun.id).status in {"running", "done", "failed"}
    assert begun.id in {one.id for one in ask(url, "exams").exams}


@both_ways
def test_an_improvement_is_begun_found_and_cancelled(ask, url):
    given = {"item": "i", "criterion": "empathy", "annotator": "ann", "label": "yes", "prompt": "p", "response": "r"}
    ask(url, "add_labels", "improved/set", [given])
    begun = ask(url, "improve", "improved/set", "writing/summary", examples=[0], limits={"calls": 9})
    assert begun.limits["calls"] == 9
    assert begun.id in {one.id for one in ask(url, "improvements").improvements}
    assert ask(url, "cancel_improvement", begun.id).status in {"cancelled", "failed"}
    assert ask(url, "improvement", begun.id).judge == "default"
    with pytest.raises(NotFound, match="no file"):
        ask(url, "improvement_file", begun.id, "rubric.yaml")


def test_no_native_route_is_missing(url):
    source = "".join(inspect.getsource(inspect.getmodule(kind)) for kind in (Client, AsyncClient))
    from judge_client import calls, group_scoring, scoring

    sent = source + "".join(inspect.getsource(module) for module in (calls, scoring, group_scoring))
    routes = {path.split("{")[0].rstrip("/") for path in create_app(Settings()).openapi()["paths"]}
    native = {path for path in routes if path and not path.startswith(NOT_OF_THE_CLIENT)}
    assert {path for path in native if f'"{path}"' not in sent} == set()
