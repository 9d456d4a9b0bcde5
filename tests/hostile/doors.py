"""Every place where bytes that somebody else wrote are read, with the errors that are its way of refusing."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from judge_server.authoring.interchange.record import records
from judge_server.authoring.lint import lint
from judge_server.authoring.parsing import from_data, parse
from judge_server.calibration.policy import read_policy
from judge_server.core.condition import When
from judge_server.core.criterion import CheckCriterion
from judge_server.core.errors import BadConfiguration, BadInput, JudgeServerError, UnusableVerdict
from judge_server.core.expression import BadExpression, Expression
from judge_server.core.grader import Grader
from judge_server.core.placeholder import pieces_of
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Response, Submission
from judge_server.guard.guard import inspect
from judge_server.judging import checks
from judge_server.judging.reading import read_labels as read_label_tokens
from judge_server.judging.reading import read_score, read_structured
from judge_server.judging.relative.arbiter import read_list, read_pair
from judge_server.labels.readers import read_labels
from judge_server.labels.readers.layout import Layout
from judge_server.models.openai_fault import fault_of
from judge_server.models.openai_reply import completion_of, listing_of
from judge_server.models.protocol import Completion
from judge_server.models.replay import read_recording
from judge_server.models.reserved import break_reserved
from judge_server.server.dialects.chat_markup import read_channels, split_pair, split_text
from judge_server.server.dialects.envelope import open_label
from judge_server.server.dialects.prompt_table import load_prompt_table
from judge_server.settings.loading import load_settings
from judge_server.util.parsing import parse_json
from tests.submissions import rubric

Read = Callable[[bytes], Any]
_GRADER: TypeAdapter[Any] = TypeAdapter(Grader)
_WHEN: TypeAdapter[Any] = TypeAdapter(When)
_YES_OR_NO = ("Yes", "No")
_LISTED = Rubric.model_validate(rubric())
_CHECKS: tuple[dict[str, Any], ...] = (
    {"kind": "contains", "any": ["word"]},
    {"kind": "length", "unit": "sentences", "max": 5},
    {"kind": "numeric", "against": 5},
    {"kind": "citations"},
    {"kind": "repetition"},
    {"kind": "json", "extract": "first", "schema": {"properties": {"a": {"pattern": "^(a+)+$"}}}},
    {"kind": "tags", "required": ["answer"]},
    {"kind": "exact_match"},
    {"kind": "regex", "pattern": "(.*a){12}|(a+)+$"},
    {"kind": "tool_call", "name": "look_up"},
)
_CHECKED = [CheckCriterion.model_validate({"id": "it", "kind": "check", "check": given}) for given in _CHECKS]
_WIDE = Layout(annotators={"ann": "human", "bob": "human"})


@dataclass(frozen=True)
class Door:
    """``reads``: the kinds of hostile input (see corpus) that come here; ``scratch``: a folder of its own."""

    name: str
    read: Read
    refusals: tuple[type[Exception], ...]
    reads: frozenset[str]


def _text(content: bytes) -> str:
    """As a JSON body would carry it: bytes that are no UTF-8 become half surrogates."""
    return content.decode("utf-8", "surrogateescape")


def _rubric(content: bytes) -> None:
    parsed = parse(content)
    checks.prepare(parsed.rubric)
    lint(parsed)


def _inline_rubric(content: bytes) -> None:
    lint(from_data(parse_json(content)))


def _structured(content: bytes) -> None:
    completion = Completion(_text(content))
    for read in (
        partial(read_structured, labels=[_YES_OR_NO]),
        partial(read_structured, labels=[_YES_OR_NO] * 5),
        partial(read_score, lowest=0.0, highest=1.0),
        partial(read_list, labels=("A", "B")),
        read_pair,
    ):
        try:
            read(completion)
        except UnusableVerdict:
            continue


def _answer(content: bytes) -> None:
    for thinking in (False, True):
        completion = completion_of(content, thinking=thinking)
        read_label_tokens(completion.candidates, _YES_OR_NO)
        read_structured(completion, [_YES_OR_NO])


def _complaint(content: bytes) -> None:
    fault_of(500, {"Retry-After": _text(content)[:99]}, content, "m")


def _submission(content: bytes) -> None:
    submission = Submission.model_validate(parse_json(content))
    assert submission.digest
    assert submission.read is not None


def _response(content: bytes) -> None:
    assert Response.of(_text(content)) is not None


def _judged(content: bytes) -> Submission:
    return Submission(prompt="What now?", response=content.decode("utf-8", "replace"), reference="Call for help.")


def _guard(content: bytes) -> None:
    inspect(_judged(content), _LISTED)


def _check(criterion: CheckCriterion, content: bytes) -> None:
    verdict = checks.decide_now(criterion, _judged(content))
    assert verdict.error is None or "raised" not in verdict.error.detail, verdict.error


def _halves(content: bytes) -> None:
    text = _text(content)
    middle = len(text) // 2
    split_pair(text[:middle], text[middle:])


def _formula(content: bytes) -> None:
    Expression.parse(_text(content))


def _as_file(name: str, read: Callable[[Path], Any]) -> Read:
    """A door for files, which finds its input under ``name``."""
    folder = Path(tempfile.mkdtemp(prefix="judge-hostile-"))

    def through(content: bytes) -> None:
        path = folder / name
        path.write_bytes(content)
        read(path)

    return through


def _table(path: Path) -> None:
    async def known(name: str) -> None: ...

    asyncio.run(load_prompt_table(path, known))


def _settings(path: Path) -> None:
    assert not any(name.startswith("JUDGE_SERVER_") for name in os.environ)
    load_settings(path)


def _door(name: str, read: Read, refusals: tuple[type[Exception], ...], *reads: str) -> Door:
    return Door(name, read, refusals, frozenset(reads))


DOORS = {
    door.name: door
    for door in (
        _door("rubric file", _rubric, (JudgeServerError,), "yaml", "json", "text"),
        _door("inline rubric", _inline_rubric, (JudgeServerError, ValueError), "json", "text"),
        _door("structured verdict", _structured, (UnusableVerdict,), "json", "text"),
        _door("model's answer", _answer, (UnusableVerdict,), "answer", "json", "text"),
        _door("model's error", _complaint, (), "json", "text"),
        _door("model listing", lambda raw: listing_of(raw, "m"), (JudgeServerError,), "json", "text"),
        _door("submission", _submission, (ValidationError, ValueError), "json", "text"),
        _door("response", _response, (), "markup", "text"),
        _door("guard", _guard, (), "markup", "text", "json"),
        *(
            _door(f"check {criterion.check.kind}", partial(_check, criterion), (), "text", "json")
            for criterion in _CHECKED
        ),
        _door("prompt and response", _halves, (BadInput,), "markup", "text"),
        _door("chat markup", lambda raw: split_text(_text(raw)), (BadInput,), "markup", "text"),
        _door("chat markup, last turn", lambda raw: split_text(_text(raw), "last"), (BadInput,), "markup", "text"),
        _door("harmony", lambda raw: read_channels(_text(raw)), (), "markup", "text"),
        _door("control tokens", lambda raw: break_reserved(_text(raw)), (), "markup", "text"),
        _door("label", lambda raw: open_label(_text(raw)), (BadInput,), "json", "text"),
        _door("grader", lambda raw: _GRADER.validate_python(parse_json(raw)), (ValueError,), "json", "text"),
        _door("condition", lambda raw: _WHEN.validate_python(parse_json(raw)), (ValueError,), "json", "text"),
        _door("formula", _formula, (BadExpression,), "formula", "text"),
        _door("template", lambda raw: pieces_of(_text(raw)), (ValueError,), "formula", "text"),
        _door("settings", _as_file("server.toml", _settings), (BadConfiguration,), "toml", "text"),
        _door("gate policy", _as_file("policy.toml", read_policy), (BadConfiguration,), "toml", "text"),
        _door("recording", _as_file("answers.jsonl", read_recording), (BadConfiguration,), "json", "text"),
        _door("prompt table", _as_file("table.jsonl", _table), (BadConfiguration,), "json", "text"),
        _door("labels", _as_file("labels", read_labels), (BadInput,), "labels", "json", "text"),
        _door(
            "wide labels",
            _as_file("labels", lambda path: read_labels(path, layout=_WIDE)),
            (BadInput,),
            "labels", "json", "text",
        ),
        _door("foreign rubrics", _as_file("r.jsonl", lambda path: list(records(path))), (BadInput,), "json", "text"),
    )
}  # fmt: skip
