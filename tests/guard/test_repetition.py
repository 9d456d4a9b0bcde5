import random

import pytest

from judge_server.guard.degenerate import emptiness
from judge_server.guard.marks import compressed_share, probed_share, repeated_share, repetitive

WORDS = """the patient water rest doctor fever aspirin sleep morning evening food risk dose child adult week day hour
pain head neck back light dark noise work walk drink tea coffee sugar salt blood pressure heart lung skin eye ear nose
throat""".split()  # noqa: SIM905 - a word list


def prose(words: int, seed: int = 0) -> str:
    drawn = random.Random(seed)
    return " ".join(drawn.choice(WORDS) + drawn.choice(["", "", "", ",", "."]) for _ in range(words))


ONCE = prose(120)
REPEATED = [
    f"{ONCE} " * 2,
    f"Here is my answer. {'Drink water and rest, and see a doctor if it lasts. ' * 20}I hope that this helps.",
    "\n".join(f"{place}. The most important thing is to drink enough water and to rest." for place in range(40)),
    "患者应当多喝水并休息两天，如果体温持续高于三十九度则应就医。" * 20 + "谢谢。",
    f"{prose(8_000)}\n" * 2,
]
REFRAIN = "and O the wind, the wind and the rain;"
CLOSING = "for the rain it raineth every day."
POEM = f"""Over the hill the river ran,
{REFRAIN}
he was a boy and then a man,
{CLOSING}

He had a house with seven doors,
{REFRAIN}
the sea came in on all its floors,
{CLOSING}

So shut the book and light the lamp,
{REFRAIN}
the night is long, the hay is damp,
{CLOSING}
"""
CODE = "\n".join(
    f"def test_{word}(self):\n    self.assertEqual(convert('{word}'), {place})\n    self.assertTrue(known('{word}'))\n"
    for place, word in enumerate(WORDS)
)
TABLE = "| word | size | share |\n|------|------|-------|\n" + "\n".join(
    f"| {word} | {place * 7 % 90} | {place * 13 % 100} % |" for place, word in enumerate(WORDS)
)
GENUINE = [
    prose(60),
    prose(300),
    prose(3_000),
    prose(20_000),
    POEM,
    CODE,
    TABLE,
    "No.",
    "42",
    "B",
    "是",
    "5 mg",
    "",
    " " * 1_000,
]


@pytest.mark.parametrize("text", REPEATED, ids=range(len(REPEATED)))
def test_long_text_that_mostly_repeats_itself_is_noticed(text):
    assert repetitive(text)


@pytest.mark.parametrize("text", GENUINE, ids=range(len(GENUINE)))
def test_prose_code_tables_and_poems_with_refrains_are_not(text):
    assert not repetitive(text)


@pytest.mark.parametrize("text", [POEM, CODE, TABLE, *REPEATED[:3]], ids=range(6))
def test_repetition_with_something_else_in_it_is_not_degenerate(text):
    assert emptiness(f"{text} and so on").cause is None


def test_the_measures_are_shares():
    assert repeated_share("one two three") == 0
    assert repeated_share("a b c d e f g h " * 10) == pytest.approx(1 - 8 / 75)
    assert repeated_share("") == 0
    assert compressed_share("") == 1
    assert compressed_share("a" * 1_000) < 0.05 < compressed_share(prose(100))


@pytest.mark.parametrize(
    "text", ["ab" * 500_000, prose(100) * 2_000, "a" * 63 + "b" * 1_000_000, "ab" * 99_000 + "c" * 9]
)
def test_a_long_text_is_measured_in_bounded_time(text):
    assert repetitive(text)
    assert probed_share(text) > 0.4
