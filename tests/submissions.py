"""Submissions and rubrics as a trainer would send them: plain data."""

from typing import Any

PROMPT = "My father cannot lift his left arm since breakfast. What should I do?"
RESPONSE = "Call the emergency number now, note the time when it began, and give him nothing to eat or drink."


def rubric(*points: float, **fields: Any) -> dict[str, Any]:
    """A rubric with criteria ``c0``, ``c1``, … of these points, whose statements say ``criterion-0 `` and so on."""
    criteria = [
        {"id": f"c{place}", "statement": f"Fulfils criterion-{place} of the list.", "points": point}
        for place, point in enumerate(points or (5, 3))
    ]
    return {"id": "test/listed", "version": "1.0.0", "title": "A list", "criteria": criteria} | fields


def checking(word: str = "emergency", **fields: Any) -> dict[str, Any]:
    """A rubric that a program decides: whether the response has the word."""
    check = {"kind": "contains", "any": [word]}
    criterion = {"id": "word", "kind": "check", "statement": f"Says {word}.", "points": 1, "check": check}
    return {"id": "test/word", "version": "1.0.0", "title": "A word", "criteria": [criterion]} | fields


def submission(**fields: Any) -> dict[str, Any]:
    """A submission that can be judged; fields given as None are left out."""
    whole = {"rubric": rubric(), "prompt": PROMPT, "response": RESPONSE} | fields
    return {name: value for name, value in whole.items() if value is not None}
