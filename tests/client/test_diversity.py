"""How many different texts a policy wrote."""

from judge_client.diversity import distinct_share, diversity


def test_texts_that_are_all_different_have_share_1_and_equal_ones_one_nth():
    assert distinct_share(["a", "b", "c"]) == 1
    assert distinct_share(["a"] * 8) == 1 / 8


def test_case_and_white_space_make_no_other_text():
    assert distinct_share(["Drink water.", " drink  WATER.\n"]) == 1 / 2


def test_messages_are_compared_by_what_they_say():
    first = [{"role": "assistant", "content": "Rest."}]
    assert distinct_share([first, "rest.", [{"role": "assistant", "content": "Drink."}]]) == 2 / 3


def test_one_sentence_for_every_prompt_shows_in_the_batch_and_not_within_prompts():
    texts, prompts = ["a", "b", "a", "b"], ["p", "p", "q", "q"]
    assert diversity(texts, prompts) == {"distinct_texts": 0.5, "distinct_texts_per_prompt": 1.0}


def test_a_prompt_with_one_text_says_nothing_about_its_diversity():
    assert diversity(["a", "b"], ["p", "q"]) == {"distinct_texts": 1.0}
    assert diversity([], []) == {}
