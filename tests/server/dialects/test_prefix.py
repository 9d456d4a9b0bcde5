"""The response is what follows the prompt; where the prompt is no prefix, that is said and not guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.errors import BadSubmission
from judge_server.server.dialects.prefix import response_after
from tests.server.dialects.frames import FRAMES

PROMPT = "What  now?\nTell me."


@given(prompt=st.text(st.characters(exclude_characters="<[")).filter(str.strip), response=st.text())
def test_what_follows_an_exact_prefix_comes_back_exactly(prompt, response):
    assert response_after(prompt, prompt + response) == response


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_every_template_splits_where_its_prompt_ends(name):
    prompt = FRAMES[name].prompt([{"role": "user", "content": PROMPT}])
    assert response_after(prompt, prompt + "Call.<end>") == "Call.<end>"


@pytest.mark.parametrize(
    "query",
    [
        f"{PROMPT}Call.",
        f"<s>{PROMPT}Call.",
        f"<s> {PROMPT}Call.",
        f"<|endoftext|><|endoftext|>{PROMPT}Call.",
        "What now?\nTell me.Call.",
        " What now? Tell me.Call.",
        "<s> What now ? Tell me .Call.",
    ],
)
def test_white_space_and_marks_at_the_beginning_may_differ(query):
    assert response_after(PROMPT, query) == "Call."
    assert response_after(f"<s>{PROMPT}", query) == "Call."


@pytest.mark.parametrize("query", ["", "hat  now?\nTell me.Call.", "What then? Tell me. Call.", "What now? Tell"])
def test_a_prompt_that_is_no_prefix_is_a_fault_with_a_remedy(query):
    with pytest.raises(BadSubmission) as caught:
        response_after(PROMPT, query)
    assert caught.value.type == "unsplit_text"
    assert "cut no prompts" in caught.value.remedy


def test_an_empty_prompt_is_a_fault():
    with pytest.raises(BadSubmission, match="prompt is empty"):
        response_after(" <s>\n", "Call.")
