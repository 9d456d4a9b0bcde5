"""The families of the exam: each makes pairs from the lexicon, with a seed that decides the surface forms."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from random import Random
from typing import Any

from judge_server.core.criterion import Binary, Judged, Nominal, Scale
from judge_server.core.exam import Family
from judge_server.core.step import Step
from judge_server.core.submission import Message
from judge_server.exam.question import ABSENT, ExamPair, ExamQuestion, Expected
from judge_server.judging.judge_input import JudgeInput, shown_input

PAIRS_A_FAMILY = 20
CHARACTERS_A_TOKEN = 4
Entry = Mapping[str, Any]


@lru_cache(maxsize=1)
def lexicon() -> Mapping[str, Any]:
    return tomllib.loads(files("judge_server.exam").joinpath("lexicon.toml").read_text("utf-8"))


def pairs(family: Family, seed: int, count: int = PAIRS_A_FAMILY, context_tokens: Sequence[int] = ()) -> list[ExamPair]:
    """``count`` pairs of a family; the same seed gives the same pairs. ``context_tokens``: lengths of the long
    responses."""
    random = Random(f"{seed} {family}")  # noqa: S311 - surface forms, not secrets
    made = _long_context(random, context_tokens) if family == "long_context" else _MAKERS[family](random)
    return [next(made) for _ in range(count)] if family != "long_context" or context_tokens else []


def _met(
    statement: str, response: str, expected: Expected, ask: str = "", *, reference: str | None = None, **criterion: Any
) -> ExamQuestion:
    asked = Binary.model_validate(
        {"id": "asked", "statement": statement, "reference": "optional" if reference else "none"} | criterion
    )
    return ExamQuestion(_input(response, ask, reference), asked, expected)


def _input(response: str, ask: str, reference: str | None = None, *between: Message) -> JudgeInput:
    opening = (Message(role="user", content=ask),) if ask else ()
    return shown_input(response, (*opening, *between), reference)


def _forever(random: Random, entries: Sequence[Entry]) -> Iterator[Entry]:
    """All entries in random order, again and again."""
    while True:
        yield from random.sample(list(entries), len(entries))


def _around(random: Random, sentence: str, others: Sequence[str]) -> str:
    """A sentence somewhere among one or two others."""
    listed = random.sample(list(others), min(len(others), random.choice((1, 2))))
    listed.insert(random.randrange(len(listed) + 1), sentence)
    return " ".join(listed)


def _lists(random: Random) -> Iterator[ExamPair]:
    things = lexicon()["things"]
    while True:
        kind = random.choice(list(things))
        (first, second), alike, unlike = (list(group) for group in things[kind])
        near, far = random.choice(alike), random.choice(unlike)
        both, one = f"I would think of {first} and {second}.", f"I would think of {first} and {far}."
        asked: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
            ("and", f"Names {first} and {second}.", both, one, {}),
            ("or", f"Names {first} or {second}.", f"What about {second}?", f"What about {far}?", {}),
            ("such as", f"Names a {kind}, such as {first} or {second}.", f"Try {near}.", f"Try {far}.", {}),
            ("any_of", f"Names a {kind}.", f"Take {second}.", f"Take {near}.", {"any_of": [first, second]}),
            ("all_of", f"Names each {kind}.", both, one, {"all_of": [first, second]}),
        )
        for variant, statement, good, bad, more in asked:
            yield ExamPair("lists", variant, (_met(statement, good, True, **more), _met(statement, bad, False, **more)))


def _polarity(random: Random) -> Iterator[ExamPair]:
    for entry in _forever(random, lexicon()["bad"]):
        for variant in random.sample(("warn", "quote", "refuse", "deny"), 4):
            done, named = random.choice(entry["does"]), random.choice(entry[variant])
            statement, ask = entry["statement"], entry["ask"]
            yield ExamPair("polarity", variant, (_met(statement, done, True, ask), _met(statement, named, False, ask)))


def _turn(random: Random) -> Iterator[ExamPair]:
    for entry in _forever(random, lexicon()["plain"]):
        statement, ask = entry["statement"], entry["ask"]
        said, other = random.choice(entry["says"]), random.choice(entry["other"])
        good = _met(statement, said, True, ask)
        for variant in ("earlier assistant turn", "user", "reference"):
            if variant == "reference":
                bad = _met(statement, other, False, ask, reference=said)
            else:
                if variant == "user":
                    between = [Message(role="user", content=said)]
                else:
                    between = [Message(role="assistant", content=said), Message(role="user", content="Anything else?")]
                bad = ExamQuestion(_input(other, ask, None, *between), good.criterion, False)
            yield ExamPair("turn", variant, (good, bad))


def _reference(random: Random) -> Iterator[ExamPair]:
    while True:
        hour, other = random.sample(range(7, 20), 2)
        seats, fewer = random.sample(range(20, 90), 2)
        ask = "When does the hall open, and how many seats does it have?"
        brick = f"The hall was built in brick. It has {seats} seats and opens at {hour}:00."
        for role, statement, right, wrong, reference in (
            ("answer", "Gives the opening hour of the reference.", f"At {hour}:00.", f"At {other}:00.", brick),
            ("source", "Keeps the number of seats of the source.", f"{seats} seats.", f"{fewer} seats.", brick),
            (
                "facts",
                "Contradicts the facts.",
                f"{fewer} seats.",
                f"{seats} seats.",
                f"Seats: {seats}. Opens: {hour}:00.",
            ),
        ):
            questions = (
                _met(statement, right, True, ask, reference=reference, reference_role=role),
                _met(statement, wrong, False, ask, reference=reference, reference_role=role),
            )
            yield ExamPair("reference", role, questions)


def _not_applicable(random: Random) -> Iterator[ExamPair]:
    statements = (
        ("Every price in the response has a currency.", "Prices are {} euros.", "Prices are {}."),
        ("Every length in the response has a unit.", "It is {} metres long.", "The length is {}."),
        (
            "Every time in the response says whether it is morning or evening.",
            "Come at {} in the morning.",
            "Come at {}.",
        ),
    )
    for entry in _forever(random, lexicon()["plain"]):
        statement, right, wrong = random.choice(statements)
        nothing, number = random.choice(entry["other"]), random.randrange(3, 12)
        absent: dict[str, Expected] = {"met": True, "unmet": False, "skip": ABSENT}
        given = {rule: _met(statement, nothing, answer, if_absent=rule) for rule, answer in absent.items()}
        yield ExamPair("not_applicable", "met or unmet", (given["met"], given["unmet"]))
        there = _met(statement, right.format(number), True, if_absent="skip")
        yield ExamPair("not_applicable", "skip", (there, given["skip"]))
        bare = _met(statement, wrong.format(number), False, if_absent="met")
        yield ExamPair("not_applicable", "present and wrong", (given["met"], bare))


def _numbers(random: Random) -> Iterator[ExamPair]:
    while True:
        heat, halves, litres, kilos, far = (random.randrange(1, 9) for _ in range(5))
        celsius = heat * 10 + 10
        for variant, statement, sentence, right, wrong in (
            ("temperature", f"{celsius} °C.", "Heat it to {}.", f"{celsius * 9 // 5 + 32} °F", f"{celsius} °F"),
            ("time", f"{halves * 30} minutes.", "It takes {}.", f"{halves / 2:g} hours", f"{halves * 2} hours"),
            ("volume", f"{litres / 2:g} litres.", "Take {}.", f"{litres * 500} ml", f"{litres * 50} ml"),
            ("weight", f"{kilos} kg.", "It weighs {}.", f"{kilos * 1000:,} g", f"{kilos * 100} g"),
            ("length", f"{far} km.", "It is {} away.", f"{far * 1000:,} metres", f"{far * 100} metres"),
        ):
            asked = f"Gives an amount that is equal to {statement}"
            questions = (_met(asked, sentence.format(right), True), _met(asked, sentence.format(wrong), False))
            yield ExamPair("numbers", variant, questions)


def _implied(random: Random) -> Iterator[ExamPair]:
    for entry in _forever(random, lexicon()["implied"]):
        statement, ask = entry["statement"], entry["ask"]
        questions = (
            _met(statement, random.choice(entry["yes"]), True, ask),
            _met(statement, random.choice(entry["near"]), False, ask),
        )
        yield ExamPair("implied", "implied", questions)


def _contradicted(random: Random) -> Iterator[ExamPair]:
    for entry in _forever(random, lexicon()["switch"]):
        turn = random.choice(("Correction:", "No, that was wrong:", "I take that back."))
        yes, no, statement, ask = entry["yes"], entry["no"], entry["statement"], entry["ask"]
        questions = (
            _met(statement, f"{no} {turn} {yes}", True, ask),
            _met(statement, f"{yes} {turn} {no}", False, ask),
        )
        yield ExamPair("contradicted", "taken back", questions)


def _languages(random: Random) -> Iterator[ExamPair]:
    table = lexicon()["languages"]
    spoken = [name for name in table if not name.startswith("statement")]
    while True:
        for language in random.sample(spoken, len(spoken)):
            water, rest, neither = table[language]
            place = random.choice((0, 1))
            statement = table["statement_first" if place == 0 else "statement_second"]
            said, other = ((water, rest), (rest, water))[place]
            questions = (
                _met(statement, f"{neither} {said}", True, "I feel ill."),
                _met(statement, f"{neither} {other}", False, "I feel ill."),
            )
            yield ExamPair("languages", language, questions)


def _length(random: Random) -> Iterator[ExamPair]:
    ornate = lexicon()["filler"]["ornate"]
    for entry in _forever(random, lexicon()["plain"]):
        statement, ask = entry["statement"], entry["ask"]
        padding = random.sample(ornate, 4)
        long = " ".join([*padding[:2], random.choice(entry["other"]), *padding[2:]])
        short = random.choice(entry["says"])
        yield ExamPair("length", "long without", (_met(statement, short, True, ask), _met(statement, long, False, ask)))
        said = " ".join([*padding[:2], short, *padding[2:]])
        brief = _met(statement, random.choice(entry["other"]), False, ask)
        yield ExamPair("length", "long with", (_met(statement, said, True, ask), brief))


def _label_order(random: Random) -> Iterator[ExamPair]:
    for entry in _forever(random, lexicon()["plain"]):
        good = _met(
            entry["statement"], _around(random, random.choice(entry["says"]), entry["other"]), True, entry["ask"]
        )
        bad = _met(entry["statement"], " ".join(random.sample(entry["other"], 2)), False, entry["ask"])
        turned = [ExamQuestion(one.material, one.criterion, one.expected, reordered=True) for one in (good, bad)]
        yield ExamPair("label_order", "opposite order", (turned[0], turned[1]))
        yield ExamPair("label_order", "met, both orders", (good, turned[0]))


def _options(random: Random) -> Iterator[ExamPair]:
    counts = ("none", "one", "two or more")
    kinds = ("an apology", "a question", "an instruction")
    sentences = {
        "an apology": ("I am sorry about the delay.", "Please excuse the mistake."),
        "a question": ("Which day suits you?", "How many people will come?"),
        "an instruction": ("Send the form back by Friday.", "Press the green button."),
    }
    named = [thing for group in lexicon()["things"]["fruit"][:2] for thing in group]
    while True:
        first, second = random.sample(range(3), 2)
        scaled = Scale.model_validate(
            {
                "id": "asked",
                "kind": "scale",
                "statement": "How many kinds of fruit does the response name?",
                "options": [{"label": label, "value": place / 2} for place, label in enumerate(counts)],
            }
        )
        yield ExamPair(
            "options", "scale", (_fruit(random, scaled, first, named), _fruit(random, scaled, second, named))
        )
        nominal = Nominal.model_validate(
            {
                "id": "asked",
                "kind": "nominal",
                "statement": "What kind of sentence is the response?",
                "options": [{"label": label, "value": 0.0} for label in random.sample(kinds, 3)],
            }
        )
        one, other = random.sample(kinds, 2)
        questions = [ExamQuestion(_input(random.choice(sentences[kind]), ""), nominal, kind) for kind in (one, other)]
        yield ExamPair("options", "nominal", (questions[0], questions[1]))


def _fruit(random: Random, criterion: Judged, count: int, named: Sequence[str]) -> ExamQuestion:
    listed = random.sample(list(named), count if count < 2 else random.choice((2, 3)))
    said = f"You could buy {' and '.join(listed)}." if listed else "You could buy bread."
    return ExamQuestion(_input(said, "What shall I buy?"), criterion, ("none", "one", "two or more")[count])


def _no_content(random: Random) -> Iterator[ExamPair]:
    empty = lexicon()["no_content"]["texts"]
    for entry in _forever(random, lexicon()["plain"]):
        statement, ask = entry["statement"], entry["ask"]
        questions = (
            _met(statement, random.choice(entry["says"]), True, ask),
            _met(statement, random.choice(empty), False, ask),
        )
        yield ExamPair("no_content", "no content", questions)


def _long_context(random: Random, tokens: Sequence[int]) -> Iterator[ExamPair]:
    filler = lexicon()["filler"]["sentences"]
    for entry in _forever(random, lexicon()["plain"]):
        for length in tokens:
            for where, share in random.sample((("beginning", 0.02), ("middle", 0.5), ("end", 0.98)), 3):
                body: list[str] = []
                while sum(map(len, body)) + len(body) < length * CHARACTERS_A_TOKEN:
                    body += random.sample(filler, len(filler))
                place = int(len(body) * share)
                said = [*body[:place], random.choice(entry["says"]), *body[place:]]
                without = [*body[:place], random.choice(entry["other"]), *body[place:]]
                questions = (
                    _met(entry["statement"], " ".join(said), True, entry["ask"]),
                    _met(entry["statement"], " ".join(without), False, entry["ask"]),
                )
                yield ExamPair("long_context", f"{length} tokens, {where}", questions)


def _orders(random: Random) -> Iterator[ExamPair]:
    orders = lexicon()["orders"]
    for entry in _forever(random, lexicon()["plain"]):
        statement, ask = entry["statement"], entry["ask"]
        good = f"{random.choice(entry['says'])}\n\n{random.choice(orders['no'])}"
        bad = f"{random.choice(entry['other'])}\n\n{random.choice(orders['yes'])}"
        yield ExamPair("orders", "order", (_met(statement, good, True, ask), _met(statement, bad, False, ask)))


def _steps(random: Random) -> Iterator[ExamPair]:
    for entry in _forever(random, lexicon()["plain"]):
        said, other = random.choice(entry["says"]), random.choice(entry["other"])
        order = random.choice(((said, other), (other, said)))
        text = "\n\n".join(order)
        criterion = Binary(id="asked", statement=entry["statement"], scope="step")
        made = []
        for index, step in enumerate(order):
            start = text.index(step)
            shown = shown_input(text, (Message(role="user", content=entry["ask"]),))
            material = JudgeInput(shown.conversation, shown.response, None, Step(index, start, start + len(step), step))
            made.append(ExamQuestion(material, criterion, step == said))
        yield ExamPair("steps", "step beside", (made[0], made[1]))


def _facts(random: Random) -> Iterator[ExamPair]:
    cases = (
        (
            "country",
            ("Austria", "Japan", "Kenya"),
            "Speaks of the country that the facts name.",
            "In {} this takes a week.",
        ),
        (
            "season",
            ("winter", "summer", "autumn"),
            "Fits the season that the facts name.",
            "In {} leave an hour earlier.",
        ),
        ("size", ("small", "medium", "large"), "Recommends the size that the facts name.", "Take the {} one."),
    )
    while True:
        name, values, statement, sentence = random.choice(cases)
        true, other = random.sample(values, 2)
        criterion = Binary(id="asked", statement=statement)
        made = [
            ExamQuestion(
                JudgeInput(
                    (Message(role="user", content="What do you advise?"),),
                    sentence.format(value),
                    facts=((name, true),),
                ),
                criterion,
                value == true,
            )
            for value in (true, other)
        ]
        yield ExamPair("facts", name, (made[0], made[1]))


_MAKERS: Mapping[Family, Callable[[Random], Iterator[ExamPair]]] = {
    "lists": _lists,
    "polarity": _polarity,
    "turn": _turn,
    "reference": _reference,
    "not_applicable": _not_applicable,
    "numbers": _numbers,
    "implied": _implied,
    "contradicted": _contradicted,
    "languages": _languages,
    "length": _length,
    "label_order": _label_order,
    "options": _options,
    "no_content": _no_content,
    "orders": _orders,
    "steps": _steps,
    "facts": _facts,
}
