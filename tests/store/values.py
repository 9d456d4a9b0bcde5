"""Judgments, submissions and rubrics to store."""

from datetime import UTC, datetime, timedelta
from itertools import count

from judge_server.core.judgment import JudgeReference, Judgment, Timing, Usage
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure, Verdict, VerdictStatus

START = datetime(2025, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
HOSTILE = {
    "nul": "a\0b",
    "lone surrogate": "a\ud800b",
    "backslashes": "\\u0000 \\\\ \\",
    "nul after a backslash": "\\\0\\",
    "quotes": "'; DROP TABLE judgment; --\"",
    "percent and colon": "%s %(x)s :name ? $1",
    "emoji": "🧑🏽‍⚕️ \u200b\u202e",
    "replacement": "\ufffd",
    "line ends": "\r\n\u2028\x1b[0m",
    "not normalised": "e\u0301 é",
}
_numbers = count()


def without_surrogates(text: str) -> str:
    """For fields that take no lone surrogate in the first place."""
    return text.encode("utf-8", "replace").decode("utf-8")


def rubric(leaves: int = 10, rubric_id: str = "medical/consultation", version: str = "1.0.0", **more) -> Rubric:
    statements = [{"id": f"c{number}", "statement": f"Says thing {number}.", "points": 1} for number in range(leaves)]
    return Rubric.model_validate(
        {"id": rubric_id, "version": version, "title": "A rubric", "criteria": statements} | more
    )


def submission(response: str = "Drink water and rest.", **more) -> Submission:
    return Submission.model_validate({"prompt": "I have a headache.", "response": response} | more)


def unwritable() -> Submission:
    """One that JSON cannot hold; only a mistake of ours could make it."""
    return Submission.model_construct(prompt="p", response="r", facts={"not JSON": object()})


def judgment(of: Rubric, judged: Submission, **more) -> Judgment:
    number = next(_numbers)
    verdicts = tuple(
        Verdict(criterion=leaf.id, status=VerdictStatus.OK, source="judge", points=leaf.points, value=0.25, met=0.25)
        for leaf in of.leaves
    )
    fields = {
        "id": f"judgment-{number}",
        "reward": 0.25,
        "status": JudgmentStatus.OK,
        "coverage": 1.0,
        "components": {"axis:context": 0.25, "axis:empty": None},
        "verdicts": verdicts,
        "rubric": of.reference,
        "judge": JudgeReference(name="main", model="baseline", mode="direct", fingerprint="f" * 16),
        "submission": judged.coordinates,
        "submission_digest": judged.digest,
        "response_characters": 20,
        "usage": Usage(prompt_tokens=100, calls=10),
        "timing": Timing(total_seconds=0.125),
        "created_at": START + timedelta(seconds=number),
    }
    return Judgment(**(fields | more))


def failed(of: Rubric, judged: Submission, **more) -> Judgment:
    timeout = Failure(type="timeout", detail="too late")
    verdict = Verdict(criterion="c0", status=VerdictStatus.UNAVAILABLE, source="judge", points=1, error=timeout)
    fields = {
        "reward": None,
        "status": JudgmentStatus.FAILED,
        "coverage": 0.0,
        "verdicts": (verdict,),
        "error": timeout,
    }
    return judgment(of, judged, **(fields | more))
