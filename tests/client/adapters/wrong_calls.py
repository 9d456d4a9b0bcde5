"""What goes wrong in a first call, and what the error has to say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.client.adapters.first_calls import FirstCall

RUBRIC = "medical/consultation"
WITH_REFERENCE = {
    "id": "t/reference",
    "version": "1.0.0",
    "title": "t",
    "criteria": [{"id": "same", "statement": "Agrees with the reference.", "points": 1, "reference": "required"}],
}
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/x.png"}}]}]


@dataclass(frozen=True)
class Wrong:
    """``spoilt``: the call with the fault. ``fix``: a pattern of the error's text. ``needs``: what an adapter must take
    for the fault to be possible (``Adapter.takes``)."""

    spoilt: Callable[[FirstCall], FirstCall]
    fix: str
    needs: frozenset[str] = frozenset()


def _set(fix: str, *needs: str, **settings: Any) -> Wrong:
    return Wrong(lambda call: replace(call, settings={**call.settings, **settings}), fix, frozenset(needs))


def _url(change: Callable[[str], str], fix: str) -> Wrong:
    return Wrong(lambda call: replace(call, settings={**call.settings, "url": change(call.settings["url"])}), fix)


def _column(fix: str, *needs: str, **columns: Any) -> Wrong:
    return Wrong(lambda call: replace(call, columns={**call.columns, **columns}), fix, frozenset({"columns", *needs}))


def _label(fix: str, label: Any) -> Wrong:
    return Wrong(lambda call: replace(call, label=label), fix, frozenset({"envelope"}))


def _prompt(fix: str, prompt: Any) -> Wrong:
    return Wrong(lambda call: replace(call, prompt=prompt), fix, frozenset({"messages"}))


def _answer(fix: str, make: Callable[[], Any]) -> Wrong:
    return Wrong(lambda call: replace(call, response=make()), fix, frozenset({"answers"}))


def _says(role: Any, content: Any = "hi") -> list[dict[str, Any]]:
    return [{"role": role, "content": content}]


ADDRESSES: Mapping[str, Wrong] = {
    "a port where nobody listens": _url(lambda u: "http://127.0.0.1:9", r"Start it, or correct url"),
    "no scheme": _url(lambda u: u.removeprefix("http://"), r"Write http://HOST:PORT"),
    "TLS where there is none": _url(lambda u: u.replace("http:", "https:"), r"Write http:// in url"),
    "an address that ends in /v1": _url(lambda u: f"{u}/v1", r"which the client adds by itself"),
    "the address of a route": _url(lambda u: f"{u}/v1/score", r"which the client adds by itself"),
    "a host that nobody knows": _url(lambda u: "http://no-such-host.invalid:8000", r"correct url"),
    "an address with a query": _url(lambda u: f"{u}?key=1", r"has a query"),
    # not tried before
    "the scheme of web sockets": _url(lambda u: u.replace("http:", "ws:"), r"Write http://HOST:PORT"),
    "a port beyond all": _url(lambda u: "http://127.0.0.1:99999", r"Write http://HOST:PORT"),
    "a port of port 0": _url(lambda u: "http://127.0.0.1:0", r"Write http://HOST:PORT"),
    "one slash": _url(lambda u: u.replace("//", "/"), r"Write http://HOST:PORT"),
    "the scheme twice": _url(lambda u: f"http://{u}", r"Write one address"),
    "two addresses": _url(lambda u: f"{u},{u}", r"Write one address"),
    "a comma for the colon": _url(lambda u: "http://127.0.0.1,8000", r"Write one address"),
    "the fragment of a page": _url(lambda u: f"{u}/#/runs", r"has a query|Write http"),
    "a page of the server": _url(lambda u: f"{u}/runs", r"address has no path"),
    "a placeholder of a shell": _url(lambda u: "http://$HOST:8000", r"Write http|correct url"),
    "a shell variable as address": _url(lambda u: "$JUDGE_URL", r"Write http://HOST:PORT"),
}

OPTIONS: Mapping[str, Wrong] = {
    "a rubric that is not there": _set(r"[Kk]nown|Did you mean", rubric="medical/consultatoin"),
    "a version that is not there": _set(r"Known: ", rubric=f"{RUBRIC}@9.9.9"),
    "a judge that is not there": _set(r"Configured judges: default", judge="gpt-4"),
    "a key with Bearer": _set(r"Give the key alone", api_key="Bearer abc"),
    "a policy in words": _set(r"Write raise, drop, neutral", on_failure="zero"),
    "no seconds": _set(r"Give seconds", deadline_seconds=0),
    "a priority that is none": _set(r"Choose one of", priority="high"),
    # not tried before
    "a colon before the version": _set(r"write it like|Known|@", rubric=f"{RUBRIC}:1.0.0"),
    "a rubric in capitals": _set(r"Did you mean|[Kk]nown|write it like", rubric="Medical/Consultation"),
    "only the name of a rubric": _set(r"Did you mean medical/consultation", rubric="consultation"),
    "a version of two numbers": _set(r"write it like|Known", rubric=f"{RUBRIC}@1.0"),
    "the latest version by a word": _set(r"write it like|Known", rubric=f"{RUBRIC}@latest"),
    "an address as a rubric": _set(r"write it like|name", rubric="http://127.0.0.1:8000"),
    "a digest that is cut": _set(r"write it like|[Kk]nown", rubric=f"{RUBRIC}@sha256:abc"),
    "a comma in a number": _set(r"Write raise, drop, neutral", on_failure="0,5"),
    "no number as a policy": _set(r"finite number", on_failure="nan"),
    "a policy without bound": _set(r"finite number", on_failure="-inf"),
    "a change that is ignored": _set(r"Choose stop or warn", on_change="ignore"),
    "a deadline before now": _set(r"Give seconds", deadline_seconds=-5),
    "a deadline without end": _set(r"Give seconds", deadline_seconds=float("inf")),
    "a patience before now": _set(r"Give seconds", patience_seconds=-1),
    "half an attempt": _set(r"Give 1 or more", attempts=0.5),
    "no attempt": _set(r"Give 1 or more", attempts=0),
    "a key that is not ASCII": _set(r"one line of ASCII|Give the key", api_key="schlüssel"),
    "a name of a judge with its model": _set(r"Configured judges: default", judge="openai/gpt-4"),
}

PYTHON: Mapping[str, Wrong] = {
    "timeout": _set(r"Did you mean deadline_seconds", "options", timeout=3),
    "a misspelt option": _set(r"Did you mean patience_seconds", "options", patience_second=3),
    "a path as a rubric": _set(r"Give one name such as", "options", rubric=Path(RUBRIC)),
    "a list of rubrics": _set(r"Give one name such as", "options", rubric=[RUBRIC]),
    "a number as an address": _set(r"Write url=", "options", url=8000),
    "a deadline as text": _set(r"without quotation marks", "options", deadline_seconds="20"),
    # not tried before
    "base_url": _set(r"Did you mean url", "options", base_url="http://127.0.0.1:8000"),
    "bytes as a key": _set(r"Write api_key=", "options", api_key=b"abc"),
    "a dict as a judge": _set(r"judge", "options", judge={"name": "default"}),
    "a judge as a number": _set(r"judge", "options", judge=7),
    "True as a policy": _set(r"Write raise, drop, neutral", "options", on_failure=True),
    "an exception as a policy": _set(r"Write raise, drop, neutral", "options", on_failure=ValueError),
    "True as a deadline": _set(r"deadline_seconds=60", "options", deadline_seconds=True),
    "a rubric without criteria": _set(r"criteria", "options", rubric={"id": "a/b", "version": "1.0.0", "title": "t"}),
    "a rubric with an unknown field": _set(
        r"pionts|points",
        "options",
        rubric={**WITH_REFERENCE, "criteria": [{"id": "a", "statement": "Is a.", "pionts": 1}]},
    ),
    "a run as a dict": _set(r"run", "options", run={"name": "r"}),
    "no connections": _set(r"Give 1 or more", "options", connections=0),
}

COLUMNS: Mapping[str, Wrong] = {
    "a list as a reference": _column(r"Give one text for each", "texts", reference=["a", "b"], rubric=WITH_REFERENCE),
    "facts that are no JSON": _column(r"no JSON", facts="{bad"),
    "facts as a list": _column(r"Write \{", facts=["age", 4]),
    "a rubric of a row that is not there": _column(r"[Kk]nown|Did you mean", rubric="medical/consultatoin"),
    "a judge of a row that is not there": _column(r"Configured judges: default", judge="gpt-4"),
    "a reference under another name": _column(
        r"Add the field reference|An envelope is", rubric=WITH_REFERENCE, solution="x"
    ),
    # not tried before
    "bytes as a reference": _column(
        r"Give one text for each|Send text", "objects", rubric=WITH_REFERENCE, reference=b"x"
    ),
    "a rubric as the text of YAML": _column(r"write it like|dict|name", rubric="id: a/b\nversion: 1.0.0\n"),
    "a rubric whose JSON is cut": _column(r"no JSON", rubric='{"id": "a/b", '),
    "a list of rubrics of a row": _column(r"Give one text for each", rubric=[RUBRIC]),
    "a judge of a row as a list": _column(r"Give one text for each", judge=["default"]),
    "facts with NaN": _column(r"JSON", "objects", facts={"age": float("nan")}),
    "facts with an object of Python": _column(r"JSON", "objects", facts={"age": object()}),
    "blank text as a reference": _column(r"Add the field reference", rubric=WITH_REFERENCE, reference=" "),
    "a number as a rubric": _column(r"Known: ", rubric=7),
}

ASKED = {"prompt": "I cough."}
LABELS: Mapping[str, Wrong] = {
    "an envelope that is cut": _label(r"An envelope is|[Cc]orrect|envelope cannot be read", '{"reference": "x"'),
    "an envelope with a wrong member": _label(
        r"An envelope is|envelope cannot be read", '{"reference": "x", "refernce": "y"}'
    ),
    "an envelope of facts that are none": _label(r"Write \{", {**ASKED, "facts": "age 4"}),
    "an envelope of a rubric that is not there": _label(
        r"[Kk]nown|Did you mean", {**ASKED, "rubric": "medical/consultatoin"}
    ),
    "an envelope of a judge that is not there": _label(r"Configured judges", {**ASKED, "judge": "gpt-4"}),
    "an envelope without its reference": _label(
        r"Add the field reference|reference", {**ASKED, "rubric": WITH_REFERENCE}
    ),
    "an envelope of token ids": _label(r"Decode|messages|text", {"prompt": [1, 2]}),
    "an envelope of a picture": _label(r"reads text only", {"prompt": PICTURE}),
}

PROMPTS: Mapping[str, Wrong] = {
    "a role that is none": _prompt(r"Write 'user'", _says("human")),
    "messages of ShareGPT": _prompt(r'Write "role" and', [{"from": "human", "value": "hi"}]),
    "a picture": _prompt(r"reads text only", PICTURE),
    "a message without content": _prompt(r"has no content", [{"role": "user"}]),
    "token ids as a prompt": _prompt(r"Decode them", [1, 2, 3]),
    "texts as a prompt": _prompt(r"Give one text, or messages", ["I cough."]),
    # not tried before
    "a number as a role": _prompt(r"role", _says(1)),
    "a number as content": _prompt(r"content", _says("user", 3)),
    "a list of texts as content": _prompt(r"content", _says("user", ["a", "b"])),
    "a sound": _prompt(r"text only", _says("user", [{"type": "input_audio", "input_audio": {"data": "x"}}])),
    "a picture of Qwen": _prompt(r"text only|content", _says("user", [{"type": "image", "image": "x.png"}])),
    "a batch of conversations": _prompt(r"message", [_says("user"), _says("user")]),
    "pairs as messages": _prompt(r"messages", [("user", "hi")]),
}

ANSWERS: Mapping[str, Wrong] = {
    "token ids": _answer(r"Decode them", lambda: [1, 2]),
    "one text in a list": _answer(r"Give one text, or messages", lambda: ["text"]),
    "a tuple": _answer(r"Give one text, or messages|Give a str", lambda: ("text", 1.0)),
    "a generator": _answer(r"Give a str or a list", lambda: (one for one in "text")),
    "one message": _answer(r"Write \[message\]", lambda: {"role": "assistant", "content": "hi"}),
    # not tried before
    "bytes": _answer(r"Give a str or a list", lambda: b"text"),
    "a number": _answer(r"Give a str or a list", lambda: 3.5),
    "token ids of NumPy": _answer(r"Decode them", lambda: np.array([1, 2])),
    "an object of an engine": _answer(r"Give a str or a list", object),
    "a dict of text": _answer(r"Give a str or a list|message", lambda: {"text": "Rest."}),
    "a user who answers": _answer(r"come from assistant or tool|decodes to text", lambda: _says("user")),
}

WRONG = {**ADDRESSES, **OPTIONS, **PYTHON, **COLUMNS, **LABELS, **PROMPTS, **ANSWERS}
