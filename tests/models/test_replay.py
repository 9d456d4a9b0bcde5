import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.errors import BadConfiguration, ModelUnavailable
from judge_server.core.judgment import Usage
from judge_server.models.protocol import (
    Capabilities,
    Completion,
    Labels,
    Model,
    Priority,
    Prompt,
    Request,
    Sampling,
    Segment,
    Structured,
    TokenProbability,
    Turn,
)
from judge_server.models.recording_format import RecordingEntry, key_of
from judge_server.models.registry import open_model
from judge_server.models.replay import Recorder
from tests.stub_judge import Reply, StubJudge

ANSWER = Labels(("Yes", "No"))


class Parrot:
    """Answers with the length of the prompt."""

    name, revision, notice, capacity = "parrot", "r1", "It repeats.", 3
    capabilities = Capabilities(logprobs=True, structured=False, context_tokens=99)
    asked = 0

    async def start(self):
        pass

    async def complete(self, request):
        self.asked += 1
        text = str(len(request.prompt.turns[0].text))
        candidates = (TokenProbability(text, -0.25), TokenProbability("\u00e9\n", -3.0))
        return Completion(text, candidates, thinking="hm", usage=Usage(prompt_tokens=4, calls=1))

    async def healthy(self):
        return True

    async def close(self):
        pass


def request(text="x", *, code="0a1b2c3d4e5f", answer=ANSWER, sampling=None, **fields):
    fence = Segment(f"[BEGIN RESPONSE {code}]\n", "response", trusted=True)
    prompt = Prompt((Turn("user", (fence, Segment(text, "response", trusted=False))),))
    return Request(prompt, answer, sampling or Sampling(), **fields)


async def recorded(path, *requests):
    recorder = Recorder(Parrot(), path)
    await recorder.start()
    completions = [await recorder.complete(request) for request in requests]
    await recorder.close()
    return completions


async def replaying(path):
    model = open_model(f"recorded:{path}")
    await model.start()
    return model


async def test_what_was_recorded_is_replayed_exactly(tmp_path):
    path = tmp_path / "answers.jsonl"
    requests = [request("a"), request("bb", answer=Structured({"type": "object"}, 9)), request("\u2028 \u00e9")]
    completions = await recorded(path, *requests)
    model = await replaying(path)
    assert isinstance(model, Model)
    assert [await model.complete(request) for request in requests] == completions
    assert (model.name, model.revision, model.capabilities) == ("parrot", "r1", Parrot.capabilities)
    assert model.notice == "These answers of 'parrot' are replayed from a recording. It repeats."
    assert await model.healthy()
    await model.close()
    assert not await model.healthy()


async def test_the_recorder_shows_the_model_it_asks(tmp_path):
    recorder = Recorder(Parrot(), tmp_path / "answers.jsonl")
    assert isinstance(recorder, Model)
    await recorder.start()
    assert (recorder.name, recorder.revision, recorder.notice, recorder.capacity) == ("parrot", "r1", "It repeats.", 3)
    assert await recorder.healthy()
    await recorder.close()
    assert not await recorder.healthy()


async def test_a_recording_replays_under_another_servers_secret(tmp_path):
    path = tmp_path / "answers.jsonl"
    (completion,) = await recorded(path, request("a", code="0a1b2c3d4e5f"))
    model = await replaying(path)
    assert await model.complete(request("a", code="ffffffffffff")) == completion


async def test_an_unknown_request_is_unavailable_and_never_an_answer(tmp_path):
    path = tmp_path / "answers.jsonl"
    await recorded(path, request("a"))
    model = await replaying(path)
    with pytest.raises(ModelUnavailable, match="holds no answer") as caught:
        await model.complete(request("b"))
    assert "Record it" in caught.value.remedy


async def test_recording_goes_on_in_the_same_file_and_the_last_answer_counts(tmp_path):
    path = tmp_path / "answers.jsonl"
    await recorded(path, request("a"), request("a"))
    await recorded(path, request("b"))
    model = await replaying(path)
    assert (await model.complete(request("b"))).candidates[0].logprob == -0.25
    assert path.read_text().count('"model"') == 1


async def test_a_file_of_another_model_is_not_mixed_up(tmp_path):
    path = tmp_path / "answers.jsonl"
    await recorded(path, request("a"))
    other = Parrot()
    other.name = "magpie"
    with pytest.raises(BadConfiguration, match="another model than 'magpie'"):
        await Recorder(other, path).start()


async def test_failures_are_not_recorded(tmp_path):
    path = tmp_path / "answers.jsonl"
    with StubJudge() as judge:
        recorder = Recorder(open_model(judge.specification, {"transport_attempts": 1}), path)
        await recorder.start()
        assert (await recorder.complete(request("a"))).text == "Yes"
        judge.behave = lambda body: Reply(500)
        with pytest.raises(ModelUnavailable):
            await recorder.complete(request("b"))
        await recorder.close()
    assert len(path.read_text().splitlines()) == 2
    assert (await (await replaying(path)).complete(request("a"))).candidates[0].text == "Yes"


@given(st.text(max_size=20), st.text(max_size=20))
def test_different_texts_have_different_keys(one, other):
    assert (key_of(request(one)) == key_of(request(other))) == (one == other)


def test_everything_that_determines_an_answer_is_in_the_key_and_nothing_else():
    base = key_of(request())
    assert base == key_of(request(priority=Priority.BATCH, deadline=5.0))
    others = [
        request(answer=Labels(("No", "Yes"))),
        request(answer=Structured({"type": "object"}, 9)),
        request(sampling=Sampling(0.5)),
        request(sampling=Sampling(seed=1)),
        request(thinking_tokens=0),
    ]
    assert len({base, *map(key_of, others)}) == 6


HEADER = json.dumps({"model": {"name": "m"}})
ENTRY = RecordingEntry.of(request(), Completion("Yes")).model_dump_json()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1"),
        ("not json\n", "line 1"),
        (ENTRY, "line 1: model"),
        (f"{HEADER}\n{ENTRY}\n\n{{}}\n", "line 4: key"),
        (f'{HEADER}\n{ENTRY}\n{{"key": "sha256:{"0" * 64}", "completion": {{"text": 5}}}}', "line 3: completion.text"),
        (f"{HEADER}\n{ENTRY[:40]}", "line 2"),
        (f"{HEADER}\n" + ENTRY.replace("}", ', "x": 1}', 1), "line 2"),
    ],
    ids=["empty", "no json", "no header", "empty entry", "wrong type", "cut", "unknown field"],
)
async def test_a_malformed_file_names_its_line(tmp_path, content, message):
    path = tmp_path / "answers.jsonl"
    path.write_text(content)
    with pytest.raises(BadConfiguration, match=message) as caught:
        await replaying(path)
    assert caught.value.remedy


async def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(BadConfiguration, match="No such file"):
        await replaying(tmp_path / "none.jsonl")
    with pytest.raises(BadConfiguration, match="Is a directory"):
        await replaying(tmp_path)
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    with pytest.raises(BadConfiguration, match="not UTF-8"):
        await replaying(tmp_path / "latin")


async def test_what_is_not_started_says_so(tmp_path):
    with pytest.raises(ModelUnavailable, match="Start"):
        await open_model(f"recorded:{tmp_path / 'x'}").complete(request())


def test_a_recording_has_no_options():
    with pytest.raises(BadConfiguration, match="no option 'speed'"):
        open_model("recorded:x", {"speed": 2})
    with pytest.raises(BadConfiguration, match="recorded:FILE"):
        open_model("recorded:")
