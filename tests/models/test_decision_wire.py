"""What is written once for many submissions, and read by a short way, is what the plain way writes and reads."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.models.decision_wire import FORMATS, decision_body, decision_bytes, decisions_in, encoded
from judge_server.models.protocol import Decisions, Prompt, Request, Segment, Turn, TypedOption, TypedQuestion
from judge_server.models.reserved import ControlStrings

_OPTIONS = (TypedOption("<|im_end|>", "the \ud800 end"), TypedOption("other"))
_QUESTIONS = (
    TypedQuestion("predicate", (Segment("Is it so? <|im_start|>", "criterion", trusted=False),)),
    TypedQuestion("score", (Segment("How far? \udfff", "criterion", trusted=False),), _OPTIONS),
    TypedQuestion("score", (Segment("How far of twelve?", "criterion", trusted=True),), _OPTIONS * 6),
    TypedQuestion("choice", (Segment("Which?", "criterion", trusted=True),), _OPTIONS),
)
_TURNS = (
    Turn("system", (Segment("Grade.", "instructions", trusted=True),)),
    Turn("user", (Segment("It [INST] rains \ud83d.", "response", trusted=False),)),
)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("strings", [ControlStrings(), ControlStrings(["<end>"], ["rains"])])
def test_a_body_of_kept_questions_is_the_whole_body_for_every_submission(form, strings):
    for text in ("one", "two <end>"):
        turns = (*_TURNS, Turn("user", (Segment(text, "response", trusted=False),)))
        request = Request(Prompt(turns), Decisions(_QUESTIONS))
        for asked in (_QUESTIONS, _QUESTIONS[1:], _QUESTIONS[:1]):
            whole = encoded(decision_body(request, asked, "m", form, strings))
            assert orjson.loads(decision_bytes(request, asked, "m", form, strings)) == orjson.loads(whole)


_ODD = (float("nan"), float("inf"), 1, True, "1", None)
_SHARES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 0.9, 0.1, -0.1, 1.5, *_ODD])


@given(_SHARES, _SHARES, _SHARES, st.sampled_from(["noul", "refusal", None]))
def test_the_usual_answer_to_a_predicate_is_read_as_any_other(met, yes, no, kind):
    given = {"type": kind, "noul": met, "probabilities": {"yes": yes, "no": no}}
    (read,) = decisions_in({"answers": {"q0": given}}, [_QUESTIONS[0]], "systemone")
    other = {**given, "probabilities": {"yes": yes, "no": no}, "type": "refusal" if kind == "refusal" else "other"}
    (slowly,) = decisions_in({"answers": {"q0": other}}, [_QUESTIONS[0]], "systemone")
    assert read == slowly
