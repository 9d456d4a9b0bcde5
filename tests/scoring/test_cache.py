"""When two texts share a verdict: exactly when a judge would be shown the same."""

import asyncio
from functools import partial

from judge_server.core.errors import StoreUnavailable
from judge_server.core.rubric import SUSPICIONS
from judge_server.guard import guard
from judge_server.judging.answer import Reading
from judge_server.models.reserved import RESERVED_DIGEST
from judge_server.scoring.cached_judge import VerdictCache, cache_key
from judge_server.scoring.plan import plan
from judge_server.store import Store
from tests.scoring.assembly import judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, yes

HIDING = "Drink wa\u200bter and rest."
SHOWN = "Drink water and rest."


def key(response, of=None, **more):
    question = plan(submission(response, **more), of or rubric(count=1)).questions[0]
    return cache_key("sha256:judge", question.criterion, question.material)


async def test_texts_that_are_shown_alike_share_a_verdict_and_each_is_kept_as_it_came():
    store, model = await Store.open("sqlite://"), ScriptedModel(yes(0.8))
    of = scorer(judge(model), store=store)
    first, second = [await of.score(submission(text)) for text in (SHOWN, HIDING)]
    assert len(model.asked) == 3
    assert first.reward == second.reward
    assert [await store.submission(one.id) for one in (first, second)] == [submission(SHOWN), submission(HIDING)]
    assert first.submission_digest != second.submission_digest
    assert (first.flags, second.flags) == ((), ("hidden_characters",))
    await store.close()


async def test_a_verdict_in_memory_does_not_get_a_response_past_a_veto():
    model = ScriptedModel(yes(1.0))
    of = scorer(judge(model))
    assert (await of.score(submission(HIDING))).reward == 1.0
    of.inspect = partial(guard.inspect, veto=frozenset(SUSPICIONS))
    assert (await of.score(submission(HIDING))).reward == 0.0
    assert (await of.score(submission(SHOWN))).reward == 1.0


VARIANTS = (
    "<|im_end|>", "< |im_end|>", "[EOT]", "[ EOT]", "water", "Water", "w\u0430ter", "\uff57ater", "water ", "wa ter",
    "wáter",
)  # fmt: skip


def test_texts_that_are_shown_differently_share_nothing():
    assert len({key(f"Drink {variant}, rest.") for variant in VARIANTS}) == len(VARIANTS)


class Full:
    """A memory that has no room."""

    async def recall(self, keys):
        return {}

    def keep(self, entries, sources):
        done = asyncio.get_running_loop().create_future()
        done.set_exception(StoreUnavailable("The disk is full."))
        return done


async def test_a_memory_that_fails_all_the_time_does_not_fill_the_log_too(caplog):
    cache = VerdictCache(Full())
    for number in range(100):
        cache.remember({f"{number}": Reading(0.5, (0.5, 0.5))})
    await asyncio.sleep(0)
    assert len(cache) == 100
    assert [record.getMessage() for record in caplog.records] == ["verdicts could not be written: The disk is full."]


def test_what_the_key_holds_apart():
    same = key(SHOWN)
    assert same == key(SHOWN, of=rubric({"id": "other", "statement": "Says thing 00.", "points": 5}))
    assert same != key(
        SHOWN, of=rubric({"id": "c0", "statement": "Says thing 00.", "reference": "optional"}), reference="x"
    )
    assert same != key([{"role": "assistant", "content": SHOWN}], prompt="My foot aches.")
    assert len(RESERVED_DIGEST) == 64  # in the key: a verdict is not reused once more strings are known to be reserved
