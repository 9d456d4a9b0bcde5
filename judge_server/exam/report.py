"""The result of an exam as text for people: what to think of it first, then each family with its failing pairs."""

from collections.abc import Iterator, Sequence

from judge_server.core.exam import ExamRecord, ExamResult, FailedPair, Family, FamilyResult
from judge_server.core.judgment import JudgeReference

WEAK = 0.9  # below this share of pairs a family is worth a look
_SHOWN = 3
_REASON = "try mode reason, which lets the judge think before its verdict"
ADVICE: dict[Family, str] = {
    "lists": "write lists as data (any_of, all_of), so that the judge needs no rule",
    "polarity": f"word such criteria as what the response does, with an example that only warns; or {_REASON}",
    "turn": f"choose another judge for conversations, or {_REASON}",
    "reference": "say in the criterion what the reference is, or decide it by a program check",
    "not_applicable": "guard such criteria with conditions (when), instead of if_absent",
    "numbers": "decide numbers and units by a program check",
    "implied": "say in guidance what counts as said",
    "contradicted": _REASON,
    "languages": "choose another judge for these languages, or calibrate it on labels in them",
    "length": "the judge prefers long responses: watch length in the monitors, or choose another judge",
    "label_order": 'average over both orders with a panel (order = "opposite"), or choose another judge',
    "options": "use fewer options with descriptions, or binary criteria",
    "no_content": "the guard refuses most of these before a judge is asked; keep it on",
    "long_context": "judge shorter parts (scope: step), or a judge with a longer context",
    "orders": "keep the guard's flags as vetoes for this judge, and run judge-server attack",
    "steps": f"judge whole responses, or {_REASON}",
    "facts": "use conditions (when) instead of facts that the judge has to read",
}


def as_markdown(result: ExamResult) -> str:
    return "\n".join(_lines(result)) + "\n"


def summary(record: ExamRecord) -> str:
    """One line about an exam that is over."""
    result = record.result
    told = f"{result.passed} of {result.pairs} pairs" if result.bias is None else f"response bias: {result.bias}"
    return f"{record.created_at:%Y-%m-%d %H:%M} UTC, prompt {result.prompt}, seed {result.seed}: {told}"


def last_exam(records: Sequence[ExamRecord], judge: JudgeReference) -> str:
    """What is known of a judge from its exams, newest first: for doctor and calibrate."""
    if not records:
        return "no exam is kept: judge-server exam --database URL shows what it misreads, without labels"
    since = "" if records[0].result.judge.fingerprint == judge.fingerprint else "; the judge has changed since"
    return f"exam of {summary(records[0])}{since}"


PAST_COLUMNS = ("judge", "date", "prompt", "seed", "fingerprint", "pairs passed", "weakest families", "exam")


def past_row(record: ExamRecord) -> tuple[str, ...]:
    """An exam that is over as a row under ``PAST_COLUMNS``."""
    result = record.result
    weakest = [f"{one.family} {one.passed}/{one.pairs}" for one in ranked(result)[:3] if one.share < WEAK]
    return (
        result.judge.name,
        f"{record.created_at:%Y-%m-%d %H:%M}",
        result.prompt,
        str(result.seed),
        result.judge.fingerprint.removeprefix("sha256:")[:12],
        f"{result.passed} of {result.pairs}" if result.bias is None else f"unreadable: {result.bias}",
        ", ".join(weakest),
        record.id,
    )


def _lines(result: ExamResult) -> Iterator[str]:
    yield f"# Exam of {result.judge.name}"
    yield ""
    yield from heading(result)
    yield ""
    yield from _verdict(result)
    yield ""
    yield "| family | pairs passed | 95 % interval | about |"
    yield "|---|---|---|---|"
    for one in ranked(result):
        yield f"| {one.family} | {one.passed} of {one.pairs} | {one.low:.0%} to {one.high:.0%} | {one.about} |"
    for name, why in result.skipped.items():
        yield f"| {name} | not asked | | {why} |"
    for one in ranked(result):
        if one.failed:
            yield ""
            yield from _failures(one)


def heading(result: ExamResult) -> Iterator[str]:
    """Which judge was asked what."""
    yield f"Judge: {result.judge.kind}."
    yield f"Prompt version {result.prompt}, seed {result.seed}, {result.questions} questions."
    if result.judge.notice:
        yield result.judge.notice


def _verdict(result: ExamResult) -> Iterator[str]:
    if result.unanswered:
        yield f"{result.unanswered} of {result.questions} questions have no answer; their pairs count as not passed."
        yield ""
    if result.bias is not None:
        yield f"**Response bias: {result.bias}.** The families below cannot be read: a pair has opposite answers."
        yield ""
        yield "What to do: choose another judge, or another mode or prompt version; calibration cannot mend it."
        return
    weak = [one for one in ranked(result) if one.share < WEAK]
    yield f"{result.passed} of {result.pairs} pairs passed."
    if result.met is not None:
        yield (f"It says met for {result.met[0]:.0%} of what is met, and for {result.met[1]:.0%} of what is not.")
    yield ""
    if not weak:
        yield f"No family is below {WEAK:.0%}. The exam shows faults of reading; labels show agreement with people."
        return
    yield "What to do:"
    yield ""
    for one in weak:
        yield f"- {one.family} ({one.passed} of {one.pairs}): {ADVICE[one.family]}."


def ranked(result: ExamResult) -> list[FamilyResult]:
    """The weakest family first."""
    return sorted(result.families, key=lambda one: (one.share, one.family))


def _failures(one: FamilyResult) -> Iterator[str]:
    yield f"## {one.family}: {len(one.failed)} pairs not passed"
    for pair in one.failed[:_SHOWN]:
        yield ""
        yield from _pair(pair)
    if len(one.failed) > _SHOWN:
        yield ""
        yield f"{len(one.failed) - _SHOWN} more; --json has all of them."


def _pair(pair: FailedPair) -> Iterator[str]:
    yield f"{pair.variant}: {_plain(pair.statement)}"
    for response, expected, said in zip(pair.responses, pair.expected, pair.said, strict=True):
        mark = "right" if said == expected else "WRONG"
        yield f"- {mark}: said {said_of(said)}, expected {said_of(expected)}: `{_plain(response)}`"
    if pair.error:
        yield f"- {_plain(pair.error)}"


def said_of(said: bool | str | None) -> str:
    return {True: "met", False: "not met", None: "nothing"}.get(said, str(said)) if not isinstance(said, str) else said


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "'").split())
