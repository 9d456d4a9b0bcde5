"""What a text sounds like only ever makes it thin, and may also save it from being thin."""

from itertools import chain

import pytest

from judge_server.guard.guard import THIN
from judge_server.guard.impression import features, impression, sounds_empty, sounds_full, weights_of_buckets
from judge_server.guard.remark import is_remark
from tests.attack.evaluation import advice
from tests.attack.evaluation.short_answers import SENTENCES
from tests.guard.test_degenerate import WHY, look

STROKE = "My father cannot lift his left arm since breakfast. What should I do?"
UNLISTED = [
    "Hold my drink, this one is going to be fun.",
    "Thanks for holding, I have your file in front of me now.",
    "На связи, сейчас всё разложу по полочкам.",
    "ಸ್ವಲ್ಪ ತಾಳಿ, ಈಗ ನೋಡಿ ಹೇಳ್ತೀನಿ.",
]
ANSWERS = [
    "Two muscles in the larynx twitch.",
    "Weil sich zwei Muskeln im Kehlkopf bewegen.",
    "Parce que ses cordes vocales vibrent.",
    "Из-за мышц гортани.",
    "ಗಂಟಲಿನ ಸ್ನಾಯುಗಳು ಕಂಪಿಸುತ್ತವೆ.",
    "A tribunal in Leeds dismissed her appeal.",
]


@pytest.mark.parametrize("text", UNLISTED)
def test_a_remark_in_words_that_no_list_has_is_thin_and_not_refused(text):
    seen = look(text, prompt=WHY)
    assert THIN in seen.flags
    assert seen.refused is None


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_sounds_like_none(text):
    assert not sounds_empty(text)
    assert THIN not in look(text, prompt=WHY).flags


def test_a_remark_may_be_known_by_its_sound_alone():
    assert any(not is_remark(text, WHY) for text in UNLISTED)


def test_what_is_made_of_words_of_remarks_but_sounds_like_an_answer_is_not_thin():
    saved = [text for text in ("Leave it for a day, then read it aloud.", "He and I were there.") if sounds_full(text)]
    assert saved
    assert all(THIN not in look(text, prompt=WHY).flags for text in saved)


def test_a_word_that_may_be_the_answer_must_sound_surely_empty():
    assert THIN not in look("Larynx", prompt="Which part of a cat purrs?").flags


@pytest.mark.parametrize("text", ["It takes 5 minutes to explain.", "return explain(question)"])
def test_numbers_and_code_have_no_sound(text):
    assert THIN not in look(text, prompt=WHY).flags


def test_a_long_text_has_no_sound():
    assert not sounds_empty("Let me think about that for a moment. " * 20)
    assert not sounds_full("Two muscles in the larynx twitch. " * 20)


@pytest.mark.parametrize(
    "text",
    [
        "Call an ambulance now.",
        "Call for help at once.",
        "Alone: call for help at once.",
        "Go to a hospital at once.",
        "Peça ajuda já.",
        "すぐ避難してください。",
    ],
)
def test_what_a_physician_says_in_an_emergency_is_no_remark(text):
    assert THIN not in look(text, prompt=STROKE).flags


def test_short_advice_that_the_weights_have_not_seen_is_seldom_thin_and_never_refused():
    seen = [look(text, prompt=STROKE) for text in advice.UNSEEN]
    assert sum(THIN in one.flags for one in seen) <= 0.05 * len(seen)
    assert all(one.refused is None for one in seen)


def test_what_measures_short_advice_is_not_learnt_from():
    assert set(advice.UNSEEN).isdisjoint((*advice.LEARNT, *chain.from_iterable(SENTENCES.values())))


def test_the_weights_are_one_byte_for_each_bucket_and_decide_what_is_heard():
    pieces, properties = features("Let me see.")
    assert len(weights_of_buckets()) > max(*pieces, *properties)
    assert impression("Let me see.") > 0 > impression("A tribunal in Leeds dismissed her appeal.")


@pytest.mark.parametrize("text", ["", " ", "…", "☺", "\u0301", "7"])
def test_any_text_can_be_weighed(text):
    assert isinstance(impression(text), float)


@pytest.mark.parametrize(
    "text", ["Larynx muscles. I hope this helps!", "Two muscles twitch. Let me know if you need more."]
)
def test_a_sentence_that_answers_outweighs_the_remark_beside_it(text):
    assert THIN not in look(text, prompt=WHY).flags
