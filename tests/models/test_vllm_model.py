"""What the model makes of an engine that misbehaves; the engine here is a script, the tokenizer a real one."""

import asyncio
import json
import time
from collections import deque
from math import exp

import pytest

from judge_server.core.engine import EngineLimits
from judge_server.core.errors import BadConfiguration, ContextOverflow, DeadlineExceeded, ModelUnavailable
from judge_server.core.judgment import Usage
from judge_server.models.protocol import LabelBatch, LabelPrompt, Labels, Prompt, Request, Segment, Structured, Turn
from judge_server.models.tokenizing import PartTokenizer
from judge_server.models.vllm_model import OUT_OF_BUDGET, Ask, Generated, VllmModel
from judge_server.models.vllm_options import VllmOptions
from tests.models.families import HARMONY, QWEN, Family
from tests.served import until
from tests.yardstick import HANG_SECONDS, PATIENCE_SECONDS

QUESTION = Prompt((Turn("user", (Segment("Is it met? Yes or No.", "question", trusted=True),)),))
OBJECT = Structured({"type": "object"}, 50)
YES_NO = Labels(("Yes", "No"))


class ScriptedEngine:
    """Says the texts it is given, one for each request after the two probes of the start; a number is a wait."""

    context_tokens = 1_000
    commit = "abc123"
    random_weights = False
    limits = EngineLimits(step_tokens=2_048, sequences=256, kv_tokens=4_096, block_tokens=32)

    def __init__(self, *said: str | float, family: Family = QWEN, probe: str = '{"ready":true}') -> None:
        self.tokenizer = family.tokenizer()
        self.parts = PartTokenizer(self.tokenizer)
        self.said = deque(said)
        self.probe = probe
        self.asked: list[Ask] = []
        self.alive = True
        self.gone = False

    async def generate(self, ask: Ask) -> Generated:
        if not self.alive:
            raise ModelUnavailable("The engine failed.")
        self.asked.append(ask)
        first, second = self.probe, "Yes"
        text = (second if ask.label_ids else first) if len(self.asked) <= 2 else self.said.popleft()
        if isinstance(text, float):
            await asyncio.sleep(text)
            text = ""
        ids = self.parts.trusted(text)[: ask.max_tokens]
        logprobs = {token_id: -1.0 - place for place, token_id in enumerate(ask.label_ids)}
        usage = Usage(prompt_tokens=len(ask.ids), completion_tokens=len(ids), calls=1)
        return Generated(ids, len(ids) == ask.max_tokens, usage, logprobs)

    async def abort(self) -> None:
        pass

    def shut_down(self) -> None:
        self.gone = True


async def started(engine: ScriptedEngine, **options) -> VllmModel:
    model = VllmModel("hub/name", VllmOptions.model_validate(options), lambda name, given: engine)
    await model.start()
    return model


async def test_what_a_start_finds_out():
    model = await started(ScriptedEngine())
    assert model.capabilities.logprobs
    assert model.capabilities.structured
    assert model.capabilities.context_tokens == 1_000
    assert model.revision == "abc123"
    assert model.notice is None


async def test_an_engine_that_ignores_schemas_is_found_out_at_the_start():
    model = await started(ScriptedEngine(probe="Water is wet."))
    assert not model.capabilities.structured


async def test_the_adapter_is_part_of_the_revision():
    model = await started(ScriptedEngine(), loras={"mine": "/adapters/mine"}, lora="mine")
    assert model.revision == "abc123+mine:/adapters/mine"


async def test_what_an_adapter_is_taught_is_what_the_engine_is_sent():
    engine = ScriptedEngine("Yes")
    model = await started(engine)
    ids, answer = model.taught(LabelPrompt(QUESTION, YES_NO.words), "No")
    await model.complete(Request(QUESTION, YES_NO))
    assert ids == engine.asked[-1].ids
    assert engine.parts.decode(answer) == "No"
    assert answer in engine.asked[-1].label_ids
    long = Prompt((Turn("user", (Segment("word " * 2_000, "question", trusted=False),)),))
    with pytest.raises(ContextOverflow):
        model.taught(LabelPrompt(long, YES_NO.words), "No")


async def test_a_dead_engine_is_unavailable_and_unhealthy():
    engine = ScriptedEngine()
    model = await started(engine)
    assert await model.healthy()
    engine.alive = False
    assert not await model.healthy()
    with pytest.raises(ModelUnavailable):
        await model.complete(Request(QUESTION, YES_NO))


async def test_a_closed_model_is_gone_and_can_be_started_again():
    engine = ScriptedEngine()
    model = await started(engine)
    await model.close()
    assert engine.gone
    assert not await model.healthy()
    with pytest.raises(ModelUnavailable, match="not running"):
        await model.complete(Request(QUESTION, YES_NO))
    engine.asked.clear()
    await model.start()
    assert await model.healthy()


async def test_an_engine_without_a_usable_tokenizer_is_shut_down_again():
    engine = ScriptedEngine()
    engine.tokenizer.chat_template = None
    with pytest.raises(BadConfiguration, match="no chat template"):
        await started(engine)
    assert engine.gone


async def test_a_start_that_is_given_up_leaves_no_engine_behind():
    engine = ScriptedEngine()

    def load(name, options):
        time.sleep(0.2)
        return engine

    model = VllmModel("hub/name", VllmOptions(), load)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(model.start(), timeout=0.05)
    await asyncio.to_thread(until, lambda: engine.gone)
    assert not await model.healthy()


async def test_a_raw_control_character_in_a_string_does_not_spoil_the_json():
    model = await started(ScriptedEngine('{"reason":"a\x18b"}'))
    assert json.loads((await model.complete(Request(QUESTION, OBJECT))).text) == {"reason": "a b"}


async def test_candidates_are_the_label_tokens_likeliest_first():
    model = await started(ScriptedEngine("Yes"))
    completion = await model.complete(Request(QUESTION, YES_NO))
    assert {candidate.text.strip().casefold() for candidate in completion.candidates} == {"yes", "no"}
    probabilities = [exp(candidate.logprob) for candidate in completion.candidates]
    assert probabilities == sorted(probabilities, reverse=True)


async def test_thinking_that_ends_by_itself_goes_before_the_answer():
    engine = ScriptedEngine("It names water.</think>", '{"a":1}')
    completion = await (await started(engine)).complete(Request(QUESTION, OBJECT, thinking_tokens=40))
    assert (completion.thinking, completion.text) == ("It names water.", '{"a":1}')
    first, second = engine.asked[-2:]
    assert engine.parts.decode_all(first.ids).endswith("assistant\n<think>\n")
    assert first.max_tokens == 40
    assert first.schema is None
    assert first.stop_id == engine.parts.control_id("</think>")
    assert second.ids[: len(first.ids)] == first.ids
    assert engine.parts.decode_all(second.ids).endswith("<think>\nIt names water.</think>\n\n")
    assert completion.usage.calls == 2


async def test_thinking_that_is_cut_off_is_closed_and_says_so():
    engine = ScriptedEngine("It names water and rest and so on.", '{"a":1}')
    completion = await (await started(engine)).complete(Request(QUESTION, OBJECT, thinking_tokens=3))
    assert completion.thinking.endswith(OUT_OF_BUDGET.strip())
    assert engine.parts.decode_all(engine.asked[-1].ids).endswith(f"{OUT_OF_BUDGET}</think>\n\n")
    assert not completion.truncated


async def test_a_model_that_thinks_in_channels_answers_in_its_final_channel():
    engine = ScriptedEngine("Hm.<|end|>", '{"a":1}', '{"a":1}', family=HARMONY)
    model = await started(engine)
    await model.complete(Request(QUESTION, OBJECT, thinking_tokens=20))
    ending = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>"
    assert engine.parts.decode_all(engine.asked[-1].ids).endswith(ending)
    await model.complete(Request(QUESTION, OBJECT))
    assert engine.parts.decode_all(engine.asked[-1].ids).endswith("<|start|>assistant<|channel|>final<|message|>")


async def test_the_deadline_holds_over_thinking_and_answer_together():
    model = await started(ScriptedEngine(0.1, HANG_SECONDS))
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        await model.complete(Request(QUESTION, OBJECT, thinking_tokens=20, deadline=begun + 0.3))


async def test_room_for_the_thinking_is_reckoned_before_the_engine_is_asked():
    engine = ScriptedEngine()
    with pytest.raises(ContextOverflow, match=r"may take 1050; hub/name has a context of 1000"):
        await (await started(engine)).complete(Request(QUESTION, OBJECT, thinking_tokens=1_000))
    assert len(engine.asked) == 2


def batch(*texts: str, words=("Yes", "No")) -> LabelBatch:
    return LabelBatch(tuple(LabelPrompt(asking(text), words) for text in texts))


def asking(text: str) -> Prompt:
    return Prompt((Turn("user", (Segment("Same text. ", "response", trusted=False), Segment(text, "question", True))),))


class HeldEngine(ScriptedEngine):
    """Answers when its gate is open; ``reached``: it was asked as often as it has answers."""

    def __init__(self, *said: str) -> None:
        super().__init__(*said)
        self.gate, self.reached = asyncio.Event(), asyncio.Event()

    async def generate(self, ask: Ask) -> Generated:
        answer = await super().generate(ask)
        if len(self.asked) > 2:
            if not self.said:
                self.reached.set()
            await self.gate.wait()
        return answer


async def test_the_questions_of_a_submission_reach_the_engine_together():
    engine = HeldEngine("Yes", "Yes", "Yes")
    model = await started(engine)
    asking_all = asyncio.create_task(model.complete(Request(QUESTION, batch("One?", "Two?", "Three?"))))
    await engine.reached.wait()
    asked = engine.asked[2:]
    assert len(asked) == 3  # before any was answered
    engine.gate.set()
    texts = [engine.parts.decode_all(one.ids) for one in asked]
    assert [text.replace("One", "?").replace("Two", "?").replace("Three", "?") for text in texts] == [
        texts[0].replace("One", "?")
    ] * 3
    found = await asking_all
    assert [len(one.candidates) > 1 for one in found.batch] == [True] * 3
    assert found.usage.calls == 3


async def test_in_a_batch_each_question_fails_for_itself():
    model = await started(ScriptedEngine("Yes", "Yes"))
    found = await model.complete(Request(QUESTION, batch("One?", "long " * 2_000, "Three?")))
    assert [type(one) for one in found.batch] == [type(found), ContextOverflow, type(found)]
    late = Request(QUESTION, batch("One?", "Two?"), deadline=time.monotonic() - 1)
    assert [type(one) for one in (await model.complete(late)).batch] == [DeadlineExceeded] * 2


async def test_a_cancelled_batch_stops_every_prompt():
    engine = HeldEngine("Yes", "Yes")
    model = await started(engine)
    asking_all = asyncio.create_task(model.complete(Request(QUESTION, batch("One?", "Two?"))))
    await engine.reached.wait()
    asking_all.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asking_all
    assert len(engine.asked) == 4
