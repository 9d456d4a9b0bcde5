"""Stored texts are shown to no other judge than their rubric and their sender's API keys name, of whatever age."""

from datetime import UTC, datetime

import pytest

from judge_server.core.caller import Allowance, Caller, current_caller
from judge_server.core.errors import JudgeNotAllowed
from judge_server.core.judge import JudgeSpecification
from judge_server.core.submission import Submission
from judge_server.judging.answer import Terms
from judge_server.labels.archive import collected_set
from judge_server.store.label_plan_records import PlannedItem, StoredPlan
from judge_server.store.label_records import CollectedLabel
from judge_server.wiring.service import open_service
from tests.served import settings_of
from tests.server.keys import key_of
from tests.submissions import rubric, submission

HOSTED = JudgeSpecification(name="hosted", model="baseline")
LOCAL = JudgeSpecification(name="default", model="baseline")


async def _stored(service, sender, **more) -> str:
    before = current_caller.set(Caller(sender, frozenset({"score"})))
    try:
        return (await service.scorer.score(Submission.model_validate(submission(**more)), Terms())).id
    finally:
        current_caller.reset(before)


async def test_a_key_keeps_its_texts_from_judges_that_it_does_not_name_also_after_it_was_revoked():
    _, key = key_of("ward", "score", allowance=Allowance(judges=("default",)))
    async with open_service(settings_of()) as service:
        now = datetime.now(UTC)
        await service.store.api_keys.add(key, now)
        kept, free = await _stored(service, "ward"), await _stored(service, "else")
        await service.shown_again.require(HOSTED, [free])
        await service.shown_again.require(LOCAL, [kept, free])
        await service.store.api_keys.revoke("ward", now)
        with pytest.raises(JudgeNotAllowed, match="ward"):
            await service.shown_again.require(HOSTED, [free, kept])


async def test_a_key_of_the_configuration_counts_too():
    _, key = key_of("ward", "score", allowance=Allowance(judges=("default",)))
    async with open_service(settings_of(api_keys={"ward": key})) as service:
        kept = await _stored(service, "ward")
        with pytest.raises(JudgeNotAllowed, match="ward"):
            await service.shown_again.require_by_senders(HOSTED, [kept])


async def test_labelled_texts_belong_to_those_who_sent_the_judgments_also_in_pairs_of_a_plan():
    _, key = key_of("ward", "score", allowance=Allowance(judges=("default",)))
    async with open_service(settings_of(api_keys={"ward": key})) as service:
        kept, free = await _stored(service, "ward"), await _stored(service, "else")

        def labelled(name, item):
            content = {"item": item, "criterion": "c", "annotator": "a", "role": "human", "label": "met"}
            content |= {"prompt": "Why?", "response": "Because."}
            return collected_set(name, [CollectedLabel(item=item, criterion="c", annotator="a", content=content)])

        await service.shown_again.require_labelled(labelled("else's", free), HOSTED)
        await service.shown_again.require_labelled(labelled("ward's", kept), LOCAL)
        with pytest.raises(JudgeNotAllowed, match="ward"):
            await service.shown_again.require_labelled(labelled("ward's", kept), HOSTED)
        pair = PlannedItem(id="a pair", judgments=(free, kept))
        await service.store.label_plans.put(StoredPlan(label_set="pairs", rubric="r@1.0.0", items=(pair,)))
        with pytest.raises(JudgeNotAllowed, match="ward"):
            await service.shown_again.require_labelled(labelled("pairs", "a pair"), HOSTED)


async def test_the_rubric_under_which_a_text_was_judged_counts_too():
    async with open_service(settings_of()) as service:
        kept = await _stored(service, "else", rubric=rubric(1) | {"judges": ["default"]})
        await service.shown_again.require_by_senders(HOSTED, [kept])
        await service.shown_again.require(LOCAL, [kept])
        with pytest.raises(JudgeNotAllowed, match="rubric"):
            await service.shown_again.require(HOSTED, [kept])
