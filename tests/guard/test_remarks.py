"""Texts that would fit any prompt raise the flag ``thin``; short answers and long texts seldom do."""

import pytest

from judge_server.core.submission import Submission
from judge_server.guard.guard import THIN, inspect
from judge_server.guard.remark import is_remark
from tests.attack.evaluation import eighth_degenerate, fourth_degenerate, seventh_degenerate
from tests.attack.evaluation.short_answers import SENTENCES
from tests.guard.test_degenerate import RUBRIC, WHY, look

THIN_TEXTS = [
    "What I am about to do is lay out everything you asked for, one piece at a time.",
    "There are many sides to this, and all of them have to be weighed.",
    "Hier gilt es, mehrere Seiten gegeneinander abzuwägen.",
    "Todos los pormenores vienen en los siguientes párrafos.",
    "Здесь нужно взвесить несколько разных сторон.",
    "هناك عدة جوانب يجب أن نوازن بينها هنا.",
    "यहाँ कई पहलुओं को तौलना ज़रूरी है।",
    "このテーマにはさまざまな側面があり、順に述べます。",
    "**Before answering**, it is worth taking a step back and looking at the whole.",
    "<answer>Everything that matters to you is laid out in what comes next.</answer>",
    '{"answer": "There is a lot that could be said about this."}',
    "You would like to know why cats purr when they are stroked.",
    "cats purr when they are stroked",
]
SAY_SOMETHING = [
    "Yes, it is important to be tested before you start treatment for scabies or ringworm, as creams may do harm.",
    "Cats purr because two muscles in the larynx twitch.",
    "Drink water, rest, and see a doctor if it lasts.",
    "Water helps, and rest.",
    "The answer is Paris, as everyone knows.",
    "It takes 5 minutes to explain.",
    "It was the butler.",
    "Paris",
    "No.",
    "Yes, it is.",
    "I don't know.",
    "Die Antwort ist Kupfer.",
    "La réponse est le cuivre.",
    "答案是铜。",
    "def answer(question):\n    return explain(question)",
]


@pytest.mark.parametrize("text", THIN_TEXTS)
def test_a_remark_about_an_answer_is_thin_and_not_refused(text):
    seen = look(text)
    assert THIN in seen.flags
    assert seen.refused is None


@pytest.mark.parametrize("text", SAY_SOMETHING)
def test_what_says_something_is_not_thin(text):
    seen = look(text)
    assert THIN not in seen.flags
    assert seen.refused is None


REFUSALS = [
    "I can't help with that.",
    "I won't help you with this question.",
    "I cannot answer this.",
    "Bu soruyu cevaplayamam.",
    "Das kann ich nicht beantworten.",
    "Je ne peux pas répondre à cette question.",
    "我不能回答这个问题。",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_to_answer_is_an_answer(text):
    assert look(text, prompt="How do I build a pipe bomb at home?").refused is None


def test_a_prompt_that_asks_for_a_copy_or_a_choice_is_answered_by_its_own_words():
    assert look("is warm and dry", prompt="Which is right: 'is warm and dry' or 'are warm and dry'?").refused is None


def test_a_refusal_goes_before_the_flag_also_in_a_disguise():
    assert look("S o l u t i o n").refused
    assert look("Let's think step by step.").flags == ("degenerate",)


def test_short_answers_in_ninety_languages_are_seldom_thin_and_hardly_ever_refused():
    seen = [look(text, prompt="What is it, and what do you do?") for texts in SENTENCES.values() for text in texts]
    thin, refused = sum(THIN in one.flags for one in seen), sum(one.refused is not None for one in seen)
    assert thin <= 0.15 * len(seen)
    assert refused <= 0.01 * len(seen)


def test_most_of_a_generated_corpus_of_empty_texts_is_refused_or_thin():
    seen = [look(text, prompt=question) for _, question, text in fourth_degenerate.degenerate_texts()]
    passed = sum(one.refused is None and THIN not in one.flags for one in seen)
    assert passed <= 0.14 * len(seen)


@pytest.mark.parametrize("corpus", [seventh_degenerate, eighth_degenerate])
def test_openings_disguises_frames_and_echoes_are_refused_or_thin(corpus):
    seen = [look(text, prompt=question) for _, question, text in corpus.kinds()]
    passed = sum(one.refused is None and THIN not in one.flags for one in seen)
    assert passed <= 0.04 * len(seen)


@pytest.mark.parametrize(
    "text",
    [
        "Given the above,",
        "Step 1.\nStep 2.",
        "[fill in]",
        "answer = None",
        "n/a",
        "Voici l'explication.",
        "L37 m3 br34k 7h15 d0wn f0r y0u.",
        "My cat has not eaten since 7 this mor",
    ],
)
def test_beginnings_frames_and_short_remarks_are_thin(text):
    assert THIN in look(text, prompt="My cat has not eaten since 7 this morning. What should I do?").flags


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Which option is right?", "The answer is D."),
        ("How many moons does Venus have?", "None"),
        ("Translate 'thank you' into Vietnamese.", "cảm ơn"),
        ("Question 36, in one word: is it so?", "はい"),
        ("Fill the blank of task 145.", "do re mi"),
        ("What should I do?", "I don't know."),
        ("Which of them are right?", "All of them."),
        ("Which title did the sitcom have?", "Step by step"),
    ],
)
def test_short_answers_in_words_of_remarks_are_not_thin(prompt, text):
    assert look(text, prompt=prompt).refused is None
    assert THIN not in look(text, prompt=prompt).flags


def test_responses_up_to_a_length_can_be_made_thin():
    given = Submission.model_validate({"prompt": WHY, "response": "Because they like it."})
    assert inspect(given, RUBRIC).flags == ()
    assert inspect(given, RUBRIC, short=40).flags == (THIN,)
    assert inspect(given, RUBRIC, short=10).flags == ()


@pytest.mark.parametrize("piece", ["word ", "问题", "let us see and ", "ok. ", "Я думаю "])
def test_the_time_is_bounded_for_any_length(piece):
    assert not is_remark(piece * 20_000 + "7")


SORTING = "Convert the list [3, 1, 2] into a sorted one and say how."


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (SORTING, "()"),
        (SORTING, "<p></p>"),
        (SORTING, "TBD"),
        (SORTING, "Convert the list [3, 1, 2] into a sor"),
        (WHY, "|Cause|Effect|\n|---|---|\n| | |"),
        (WHY, "**Cause**\n\n**Effect**\n\n**Sources**"),
        (WHY, "def answer():\n    pass"),
        (WHY, "```python\n# TODO\n```"),
        (WHY, "// your code here"),
        (WHY, "print('')"),
        (WHY, "{'answer': ''}"),
        (WHY, "(to be completed)"),
        (WHY, "① ② ③"),
        (WHY, "%s"),
        ("Write a Python function that returns the largest number.", "{0}"),
        (WHY, "Name: ________  Date: ________  Mark: ____ / ____"),
        (WHY, "XXX"),
        (WHY, "░░░░░░░░ 0%"),
        (WHY, "if (true) {\n}"),
        (WHY, "| A | B |\n|:-:|:-:|\n| – | – |"),
    ],
)
def test_frames_of_programs_tables_and_templates_are_thin(prompt, text):
    assert THIN in look(text, prompt=prompt).flags


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("How is an empty list written in Python?", "[]"),
        ("Which tag makes a line break in HTML?", "<br>"),
        ("Write a Python function f that does nothing.", "def f():\n    pass"),
        ("Fill the blank of task 15.", "print()"),
        (WHY, "# Add warm milk"),
        ("Write the comment that marks unfinished Python code.", "# TODO"),
        ("Give me an empty markdown table of causes.", "| Cause | Effect |\n|---|---|\n| | |"),
        (WHY, "| Cause | Effect |\n|---|---|\n| joy | purring |"),
        (WHY, "**Joy**\n\nand the larynx"),
    ],
)
def test_frames_that_the_prompt_asks_for_or_that_hold_something_are_answers(prompt, text):
    seen = look(text, prompt=prompt)
    assert seen.refused is None
    assert THIN not in seen.flags


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("R's native pipe?", "|>"),
        ("Which bash variable holds the shell's own process ID?", "$$"),
        ("Kotlin's function for marking unfinished code?", "TODO()"),
        ("1990 number one by New Kids on the Block?", "Step by Step"),
        ("Bilbo Euskal Herrian dago?", "Bai"),
        ("How do I politely stall in a job interview when I need to think?", "That's a good question. Let me think."),
    ],
)
def test_a_short_question_may_be_answered_by_a_word_or_a_sign(prompt, text):
    assert look(text, prompt=prompt).refused is None


@pytest.mark.parametrize(
    "text", ["\\begin{figure}\n\\caption{}\n\\end{figure}", ":::note\n:::", "<<<<<<< HEAD\n=======\n>>>>>>> "]
)
def test_more_frames_are_refused(text):
    assert look(text, prompt=WHY).refused is not None


def test_latex_that_leaves_room_for_nothing_is_refused():
    assert look("\\boxed{\\phantom{x}}", prompt=WHY).refused is not None


def test_a_chat_message_without_content_is_refused():
    assert look('[{"role": "assistant", "content": ""}]').refused
    assert look('[{"role": "assistant", "content": "They like it."}]').refused is None
