"""Sound inputs of every kind: what fuzzing begins with, since most noise is refused at the first byte."""

import json

from benchmarks.stub_judge import answer
from tests.hostile.corpus import inputs
from tests.hostile.label_files import LABELS
from tests.project.repository import ROOT
from tests.submissions import checking, rubric, submission

_RUBRICS = sorted((ROOT / "rubrics").rglob("*.yaml"))
_ENTRY = {"key": "sha256:" + "0" * 64, "completion": {"text": "Yes", "candidates": [["Yes", -0.1], ["No", -2.3]]}}
_TASK = {
    "id": 1,
    "data": {"prompt": "p", "response": "r"},
    "annotations": [
        {"completed_by": 1, "result": [{"from_name": "c", "type": "choices", "value": {"choices": ["1"]}}]}
    ],
}


def seeds(kind: str) -> list[bytes]:
    """Sound inputs of this kind; see corpus for the kinds."""
    return _SEEDS[kind]


def _json(*values: object) -> list[bytes]:
    return [json.dumps(value).encode() for value in values]


_LINES = [
    b"\n".join(_json({"model": {"name": "m", "logprobs": True}}, _ENTRY)),
    *_json({"prompt": "p", "rubric": "medical/consultation", "reference": "r", "facts": {"a": 1}}, [_TASK]),
    b"\n".join(
        _json(*({"item": f"i{n}", "criterion": "c", "annotator": "a", "role": "human", "label": n} for n in (1, 2)))
    ),
]
_HARMONY = (
    b"<|start|>assistant<|channel|>analysis<|message|>T<|end|><|start|>assistant<|channel|>final<|message|>A<|return|>"
)
_SEEDS = {
    "yaml": [path.read_bytes() for path in _RUBRICS],
    "json": _json(
        submission(facts={"age": 40}, id="a", group="g", step=1),
        submission(rubric=checking(), prompt=[{"role": "user", "content": "x"}]),
        rubric(5, -3),
        {"reason": "It does.", "verdict": "Yes"},
        {"type": "string_check", "input": "{{item.a}}", "reference": "b", "operation": "eq"},
        {"facts.age": {"at_least": 18}},
    )
    + _LINES,
    "text": [b"Call the emergency number now.", b"", "Schlaganfall \u2014 sofort 112!".encode()],
    "toml": [
        b'default_judge = "a"\n[judges.a]\nmodel = "openai:m@http://h/v1"\n[judges.a.engine]\ntimeout_seconds = 5.0\n',
        (ROOT / "judge_server" / "calibration" / "default_policy.toml").read_bytes(),
    ],
    "labels": [
        (LABELS + "a,c,ann,human,1\nb,c,ann,human,0\na,c,bob,judge,1\n").encode(),
        b"item;criterion;ann;bob\na;c;1;0\n",
        inputs("labels")["labels: a sound Parquet file"],
        *_LINES,
    ],
    "answer": _json(
        answer("Yes", {"Yes": 0.9, "No": 0.1}),
        answer('{"reason": "r", "verdict": "No"}'),
        {"object": "list", "data": [{"id": "m", "max_model_len": 4096}]},
        {"error": {"message": "maximum context length", "code": "context_length_exceeded"}},
    ),
    "markup": [
        b"<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n<think>\nT</think>A<|im_end|>",
        b"<s> [INST] <<SYS>>\nS\n<</SYS>>\n\nU [/INST] A </s>",
        b"<|start|>user<|message|>U<|end|>" + _HARMONY,
        _HARMONY,
        b"<think>First.\n\nThen.</think>\n<step>1</step><step>2</step>",
    ],
    "formula": [b"0.7*completeness - 0.3*min(risk, 2) ^ 2", b"{{ item.answer[0].text }} and {{sample.output_text}}"],
}  # fmt: skip
