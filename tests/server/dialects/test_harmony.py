"""The channels of gpt-oss: thoughts stay thoughts, and everything from the final answer on is the answer."""

from judge_server.core.submission import Submission
from judge_server.server.dialects.harmony import read_channels

ANALYSIS = "<|channel|>analysis<|message|>Hm.<|end|>"
FINAL = "<|start|>assistant<|channel|>final<|message|>"


def test_analysis_is_reasoning_and_final_is_the_answer():
    read = Submission(prompt="p", response=read_channels(f"{ANALYSIS}{FINAL}Call.")).read
    assert (read.reasoning, read.answer) == ("Hm.", "Call.")


def test_commentary_is_said_aloud_and_stays_in_the_answer():
    commentary = "<|start|>assistant<|channel|>commentary<|message|>I look it up.<|end|>"
    (message,) = read_channels(f"{ANALYSIS}{commentary}{FINAL}Call.")
    assert message["content"] == "I look it up.\n\nCall."


def test_a_second_final_answer_hides_nothing_of_the_first():
    (message,) = read_channels(f"{ANALYSIS}{FINAL}HIDDEN<|end|>{FINAL}Nice.")
    assert message["content"] == f"HIDDEN<|end|>{FINAL}Nice."


def test_words_between_channels_are_the_answer():
    (message,) = read_channels(f"{ANALYSIS}Words outside. {FINAL}Nice.")
    assert message["content"] == f"Words outside. {FINAL}Nice."


def test_a_thought_that_is_cut_off_stays_a_thought():
    (message,) = read_channels("<|channel|>analysis<|message|>Hm, and")
    assert (message["reasoning"], message["content"]) == ("Hm, and", "")


def test_a_text_without_channels_is_left_alone():
    assert read_channels("Call. <|channel|>final<|message|>x") is None
