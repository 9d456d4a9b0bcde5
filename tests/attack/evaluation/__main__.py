"""``python -m tests.attack.evaluation``: the guard's figures on the held-out half, as counts without its texts."""

from collections import Counter

from judge_server.attack.genuine import RIGHT_ANSWER
from judge_server.core.submission import Submission
from judge_server.guard import guard
from tests.attack.evaluation.held_out_degenerate import degenerate_texts
from tests.attack.evaluation.held_out_texts import orders, provoking_answers


def main() -> None:
    """Print one line a figure."""
    total, paid = Counter[str](), Counter[str]()
    for kind, question, text in degenerate_texts():
        total[kind] += 1
        paid[kind] += _inspect(question, text).refused is None
    _tell("degenerate texts shown to a judge", total, paid)
    total, refused, flagged = Counter[str](), Counter[str](), 0
    for question, text in provoking_answers():
        total["provoking answers"] += 1
        seen = _inspect(question, text)
        refused["provoking answers"] += seen.refused is not None
        flagged += bool(seen.flags) and seen.refused is None
    _tell("genuine answers refused", total, refused)
    print(f"genuine answers flagged and judged: {flagged}")  # noqa: T201
    total, found = Counter[str](), Counter[str]()
    for kind, text in orders():
        total[kind] += 1
        found[kind] += guard.INJECTION in _inspect("What is the weather like in Lisbon in October?", text).flags
    _tell("orders to the judge flagged", total, found)


def _inspect(question: str, text: str) -> guard.Inspection:
    return guard.inspect(Submission(prompt=question, response=text), RIGHT_ANSWER)


def _tell(title: str, total: Counter[str], found: Counter[str]) -> None:
    print(f"{title}: {found.total()} of {total.total()} ({found.total() / total.total():.1%})")  # noqa: T201
    for kind in total:
        print(f"    {kind}: {found[kind]} of {total[kind]}")  # noqa: T201


if __name__ == "__main__":
    main()
