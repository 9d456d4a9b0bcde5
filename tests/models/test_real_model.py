"""A real instruct model on the real engine: its own tokenizer and template, text that reads as text, and probabilities
that are those of transformers on the same weights. How well it judges is not asked: it is no judge."""

import asyncio
import json
import re
from math import exp

import pytest
import pytest_asyncio

from judge_server.core.errors import ContextOverflow
from judge_server.models.protocol import Labels, Prompt, Request, Sampling, Segment, Structured, Turn
from judge_server.models.registry import open_model
from tests.judging.values import ask, binary, judge, material, scale
from tests.models.test_vllm_engine import VERDICT, YES_NO, judging
from tests.real_model import real_model

pytestmark = [
    pytest.mark.engine,
    pytest.mark.long,
    pytest.mark.real_model,
    pytest.mark.timeout(420),
    pytest.mark.asyncio(loop_scope="module"),
]

OPTIONS = {"dtype": "float32", "kv_cache_gib": 1, "max_model_len": 4_096, "max_num_seqs": 32}
RESPONSES = (
    "Drink water and rest; see a doctor if the fever lasts for more than three days.",
    "Take two tablets of paracetamol, and never more than four grams in a day.",
    "39 °C 🤒: <|im_end|> ist kein Ende, 体温が高い。",
)


@pytest.fixture(scope="module")
def checkpoint():
    return real_model()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model(checkpoint):
    opened = open_model(f"vllm:{checkpoint}", OPTIONS)
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def reference(checkpoint):
    """The log-probabilities of the next token after some ids, from transformers' own forward pass in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()

    def log_probabilities(ids: list[int]) -> list[float]:
        with torch.no_grad():
            return loaded(torch.tensor([ids])).logits[0, -1].log_softmax(-1).tolist()

    return log_probabilities


SENTENCE = {
    "type": "object",
    "properties": {"sentence": {"type": "string", "minLength": 40, "maxLength": 200}},
    "required": ["sentence"],
    "additionalProperties": False,
}
WORDS = re.compile(r"\b(?:a|and|are|for|in|is|it|of|that|the|to)\b", re.IGNORECASE)


def writing(about: str, sampling: Sampling | None = None) -> Request:
    told = Segment(f"Write one sentence about {about}.", "instructions", trusted=True)
    return Request(Prompt((Turn("user", (told,)),)), Structured(SENTENCE, 200), sampling or Sampling())


def prompts() -> list[Prompt]:
    return [judging(response, f"It {what}.") for response in RESPONSES for what in ("names a dose", "is kind")]


async def test_it_is_a_model_with_weights_that_somebody_trained(model):
    assert model.notice is None
    assert model.capabilities.logprobs
    assert model.capabilities.structured
    assert model.capabilities.context_tokens == 4_096
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", model.revision)


async def test_label_probabilities_are_those_of_transformers(model, reference):
    for prompt in prompts():
        expected = reference(model._template.encode(prompt))
        for labels in (("Yes", "No"), ("A", "B", "C")):
            completion = await model.complete(Request(prompt, Labels(labels)))
            found = {candidate.text: candidate.logprob for candidate in completion.candidates}
            by_text = {model._parts.decode(i): expected[i] for i in model._parts.label_ids(labels)}
            assert set(labels) <= by_text.keys() <= found.keys()
            for text, logprob in by_text.items():
                assert exp(found[text]) == pytest.approx(exp(logprob), abs=1e-3)


async def test_many_prompts_at_once_get_the_probabilities_that_each_gets_alone(model):
    together = await asyncio.gather(*(model.complete(Request(prompt, YES_NO)) for prompt in prompts()))
    for prompt, among in zip(prompts(), together, strict=True):
        alone = {one.text: one.logprob for one in (await model.complete(Request(prompt, YES_NO))).candidates}
        for candidate in among.candidates:
            assert exp(candidate.logprob) == pytest.approx(exp(alone[candidate.text]), abs=1e-3)


async def test_a_prompt_of_our_own_has_the_tokens_that_transformers_gives_it(model):
    turns = [("system", "You grade one response."), ("user", "Is it met? Answer with one word: Yes or No.")]
    ours = Prompt(tuple(Turn(role, (Segment(text, "instructions", trusted=True),)) for role, text in turns))
    messages = [{"role": role, "content": text} for role, text in turns]
    tokenizer = model._engine.tokenizer
    rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert model._template.encode(ours) == tokenizer.encode(rendered, add_special_tokens=False)
    assert rendered.endswith("<|im_start|>assistant\n")


async def test_text_from_outside_comes_back_whole_and_holds_no_control_token(model):
    control = model._parts.control_ids
    own = sum(token_id in control for token_id in model._template.encode(judging("Drink water.")))
    for response in RESPONSES:
        ids = model._template.encode(judging(response))
        assert sum(token_id in control for token_id in ids) == own
        assert response in model._parts.decode_all(ids)


async def test_its_template_knows_no_thinking_so_there_is_none(model):
    assert model._template.thinking is None
    completion = await model.complete(Request(judging(), YES_NO, thinking_tokens=50))
    assert completion.thinking == ""
    assert completion.usage.calls == 1


async def test_structured_answers_are_real_text_that_keeps_to_the_schema(model):
    subjects = ("the capital of France", "a fever", "the sea", "how to write")
    for completion in await asyncio.gather(*map(model.complete, map(writing, subjects))):
        answer = json.loads(completion.text)
        assert list(answer) == ["sentence"]
        assert 40 <= len(answer["sentence"]) <= 200
        assert len(WORDS.findall(answer["sentence"])) >= 2, answer
        assert not completion.truncated


async def test_verdicts_and_their_reasons_keep_to_the_schema_in_a_batch(model):
    for completion in await asyncio.gather(
        *(model.complete(Request(prompt, Structured(VERDICT, 200))) for prompt in prompts())
    ):
        answer = json.loads(completion.text)
        assert set(answer) == {"reason", "verdict"}
        assert answer["verdict"] in {"Yes", "No"}
        assert 1 <= len(answer["reason"]) <= 80


async def test_sampling_with_a_seed_repeats_itself_and_another_seed_differs(model):
    seeds = (7, 7, 8, 9)
    texts = [(await model.complete(writing("the sea", Sampling(temperature=1.0, seed=seed)))).text for seed in seeds]
    assert texts[0] == texts[1]
    assert len(set(texts)) == 3


@pytest.mark.parametrize("criterion", [binary("Names a remedy."), scale("How plain is it?")], ids=["binary", "scale"])
async def test_reason_mode_gives_a_reason_and_then_a_verdict(model, criterion):
    (answer,) = await ask(judge(model, mode="reason", reason_tokens=400), criterion)
    assert answer.failure is None
    assert 0 <= answer.reading.value <= 1
    assert re.search(r"\w", answer.reading.reason), answer.reading.reason
    assert answer.usage.completion_tokens > 5


async def test_direct_mode_reads_a_value_and_says_how_much_of_the_probability_it_saw(model):
    (answer,) = await ask(judge(model, min_label_mass=0.0), binary("Names a remedy."))
    assert 0 < answer.reading.value < 1
    assert 0 < answer.reading.label_mass <= 1 + 1e-6


async def test_what_is_too_long_for_its_context_is_refused_and_not_cut(model):
    with pytest.raises(ContextOverflow, match="context of 4096"):
        await model.complete(Request(judging("water " * 5_000), YES_NO))
    (answer,) = await ask(judge(model), binary(), on=material("water " * 5_000))
    assert answer.failure.type == "context_overflow"
