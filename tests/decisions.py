"""Answers in the two formats of decision models, for stubs: an oracle that is a function from a question's text and its
options to shares."""

from collections.abc import Callable
from typing import Any

from tests.stub_judge import Behaviour, Reply

Oracle = Callable[[str, list[str]], list[float]]
REFUSED: list[float] = []


def always(met: float = 0.9) -> Oracle:
    """Yes with ``met``; of options, the last one with ``met`` and the others equally."""

    def shares(text: str, options: list[str]) -> list[float]:
        if options == ["yes", "no"]:
            return [met, 1 - met]
        return [(1 - met) / (len(options) - 1)] * (len(options) - 1) + [met]

    return shares


def systemone(oracle: Oracle | None = None, mass: float | None = 0.98) -> Behaviour:
    """As vLLM's route; ``mass``: the label mass of its diagnostics, None for a server without them."""
    oracle = oracle or always()

    def behave(body: dict[str, Any]) -> Reply:
        answers = {name: _systemone(question, oracle) for name, question in body["questions"].items()}
        answered: dict[str, Any] = {"model": body["model"], "answers": answers}
        answered["usage"] = {"input_tokens": 100, "output_tokens": len(answers)}
        if mass is not None:
            answered["diagnostics"] = {name: {"label_mass": mass, "argmax_is_label": True} for name in answers}
        return Reply(body=answered)

    return behave


def _systemone(question: dict[str, Any], oracle: Oracle) -> dict[str, Any]:
    criteria, text = question.get("criteria"), question["instructions"]
    if question["type"] == "noul":
        met, unmet = oracle(text, ["yes", "no"])
        return {"type": "noul", "noul": met, "probabilities": {"yes": met, "no": unmet}, "confidence": max(met, unmet)}
    names = list(criteria)
    shares = oracle(text, names)
    best = shares.index(max(shares))
    if question["type"] == "choice":
        probabilities = dict(zip(names, shares, strict=True))
        return {"type": "choice", "choice": names[best], "probabilities": probabilities, "confidence": shares[best]}
    return {
        "type": "score",
        "score": sum(place * share for place, share in enumerate(shares)),
        "legend": {str(place): name for place, name in enumerate(names)},
        "probabilities": {str(place): share for place, share in enumerate(shares)},
        "confidence": shares[best],
    }


def openai(oracle: Oracle | None = None) -> Behaviour:
    """As OpenAI's route. Shares that are ``REFUSED`` refuse the question."""
    oracle = oracle or always()

    def behave(body: dict[str, Any]) -> Reply:
        answers = [_openai(question, oracle) for question in body["questions"]]
        usage = {"input_tokens": 100, "output_tokens": 0, "total_tokens": 100}
        return Reply(body={"model": body["model"], "answers": answers, "usage": usage})

    return behave


def _openai(question: dict[str, Any], oracle: Oracle) -> dict[str, Any]:
    kind, name, text = question["type"], question.get("name"), question["instructions"]
    if kind == "predicate":
        shares = oracle(text, ["yes", "no"])
        return {"type": kind, "name": name, "probability": shares[0]} if shares else {"type": "refusal", "name": name}
    options = question["levels"] if kind == "score" else question["choices"]
    names = [option["label" if kind == "score" else "value"] for option in options]
    shares = oracle(text, names)
    if not shares:
        return {"type": "refusal", "name": name}
    best = shares.index(max(shares))
    found = {"type": kind, "name": name, "confidence": shares[best]}
    if kind == "choice":
        listed = [{"value": value, "probability": share} for value, share in zip(names, shares, strict=True)]
        return found | {"choice": names[best], "probabilities": listed}
    listed = [{"value": p, "label": n, "probability": s} for p, (n, s) in enumerate(zip(names, shares, strict=True))]
    return found | {"score": sum(place * share for place, share in enumerate(shares)), "probabilities": listed}


FORMS = {"systemone": systemone, "decisions": openai}
