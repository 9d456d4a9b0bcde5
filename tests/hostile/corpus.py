"""Inputs made by hand to be as expensive, or as surprising, as ``SIZE`` bytes can be."""

import json
from collections.abc import Iterator
from typing import Any

from tests.hostile.label_files import SIZE, label_files

HEAD = "id: a/b\nversion: 1.0.0\ntitle: T\ncriteria:\n"
BOM = "\ufeff"


def grown(piece: str, before: str = "", after: str = "") -> bytes:
    """``piece`` again and again, up to the size."""
    return (before + piece * max(SIZE // len(piece.encode("utf-8", "replace")), 1) + after).encode(
        "utf-8", "surrogatepass"
    )


def inputs(*kinds: str) -> dict[str, bytes]:
    """Every input of these kinds by its name."""
    found: dict[str, bytes] = {}
    for kind in kinds:
        found |= {f"{kind}: {name}": content for name, content in _KINDS[kind]()}
    return found


def _texts() -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "a NUL", b"\0"
    yield "NULs", b"\0" * SIZE
    yield "no UTF-8", b"\xff\xfe\xfd" * 1_000
    yield "an overlong slash", b"\xc0\xaf" * 100
    yield "half surrogates", "\ud800\udfff".encode("utf-8", "surrogatepass") * 1_000
    yield "marks of byte order", BOM.encode() * 1_000
    yield "UTF-16", ("id: a\n" * 100).encode("utf-16")
    yield "UTF-32", ("id: a\n" * 100).encode("utf-32")
    yield "lone CRs", b"a\r" * (SIZE // 2)
    yield "line separators", grown("\u2028\u2029\x85\x0b\x0c")
    yield "blank lines", b"\n" * SIZE
    yield "spaces", b" " * SIZE
    yield "tabs", b"\t" * SIZE
    yield "one long line", b"a" * SIZE
    yield "long words", grown("a" * 997 + " ")
    yield "combining marks", grown("e" + "\u0301" * 300)
    yield "directions", grown("\u202e\u2066abc\u2069\u202c")
    yield "digits", b"9" * SIZE
    yield "digits and a point", b"9" * SIZE + b".5"
    yield "quotation marks", b'"' * SIZE
    yield "backslashes", b"\\" * SIZE
    yield "brackets", b"[" * SIZE
    yield "braces", b"{" * SIZE
    yield "angles", b"<" * SIZE
    yield "commas", b"," * SIZE
    yield "percents", b"%" * SIZE
    yield "a gzip head", b"\x1f\x8b\x08\x00" + b"\0" * 1_000
    yield "a zip head", b"PK\x03\x04" + b"\0" * 1_000


def _json() -> Iterator[tuple[str, bytes]]:
    yield "deep lists", b"[" * (SIZE // 2) + b"]" * (SIZE // 2)
    yield "deep lists, not closed", b'{"a":' + b"[" * SIZE
    yield "deep objects", b'{"a":' * (SIZE // 6) + b"1" + b"}" * (SIZE // 6)
    yield "levels below the limit of Python", b"[" * 900 + b"]" * 900
    yield "many values", b"[" + b"0," * (SIZE // 2) + b"0]"
    yield "many keys", json.dumps({f"k{number}": number for number in range(SIZE // 14)}).encode()
    yield "one key again and again", b'{"a":0' + b',"a":0' * (SIZE // 6) + b"}"
    yield "a number of many digits", b'{"a":' + b"9" * SIZE + b"}"
    yield "an exponent", b'{"a":1e999999999, "b":-1e999999999, "c":1e-999999999}'
    yield "no numbers", b"[NaN, Infinity, -Infinity]"
    yield "wide integers", b"[" + b"18446744073709551616," * 1_000 + b"-9223372036854775809]"
    yield "escapes", b'"' + b"\\u0041" * (SIZE // 6) + b'"'
    yield "escaped surrogates", b'{"a":"' + b"\\ud800" * (SIZE // 6) + b'"}'
    yield "escaped pairs", b'{"a":"' + b"\\ud83d\\ude00" * (SIZE // 12) + b'"}'
    yield "escaped backslashes", b'{"a":"' + b"\\\\" * (SIZE // 2) + b'\\ud83d"}'
    yield "escaped NULs", b'{"prompt":"' + b"\\u0000" * (SIZE // 6) + b'", "response": "\\u0000"}'
    yield "a text that never ends", b'{"a":"' + b"x" * SIZE
    yield "truncated", b'{"reason": "It does", "verd'
    yield "two values", b"{}" * (SIZE // 2)
    yield "a mark of byte order", BOM.encode() + b"{}"
    yield "the wrong kinds", json.dumps([None, True, 1, 1.5, "", [], {}] * 1_000).encode()
    yield "lines of objects", b'{"a": [1, {"b": null}]}\n' * (SIZE // 25)
    yield from _json_submissions()


def _json_submissions() -> Iterator[tuple[str, bytes]]:
    turns: list[dict[str, Any]] = [{"role": "user", "content": "x"}] * (SIZE // 40)
    yield "many turns", json.dumps({"prompt": turns, "response": "r"}).encode()
    calls = [{"function": {"name": "f", "arguments": "{" * 50}}] * (SIZE // 100)
    yield "many calls", json.dumps({"prompt": "p", "response": [{"role": "assistant", "tool_calls": calls}]}).encode()
    parts = [{"type": "text", "text": ""}] * (SIZE // 30)
    yield "many parts", json.dumps({"prompt": "p", "response": [{"role": "assistant", "content": parts}]}).encode()
    facts: Any = {}
    for _ in range(300):
        facts = {"a": facts}
    yield "deep facts", json.dumps({"prompt": "p", "response": "r", "facts": facts}).encode()
    rubric = {"id": "a", "version": "1.0.0", "title": "T"}
    strange = {"id": [], "kind": {}, "statement": {}, "points": "1", "check": [], "when": [[]], "sources": [[], {}]}
    yield "strange criteria", json.dumps(rubric | {"criteria": [strange] * 1_000, "sources": [{"id": []}]}).encode()
    unknown = {f"f{number}": 1 for number in range(SIZE // 14)}
    yield "unknown fields", json.dumps(rubric | {"criteria": [unknown]}).encode()
    group: dict[str, Any] = {"id": "g", "kind": "group", "criteria": []}
    for number in range(200):
        group = {"id": f"g{number}", "kind": "group", "criteria": [group]}
    yield "groups in groups", json.dumps(rubric | {"criteria": [group]}).encode()
    for pattern in ("(a+)+$", "(a|a)*b", "a{1,1000}" * 300, "(" * 5_000, "[" + "a-z" * 9_999, "(?:" * 500 + ")" * 500):
        check = {"id": "x", "kind": "check", "check": {"kind": "regex", "pattern": pattern}}
        yield f"pattern {pattern[:12]}", json.dumps(rubric | {"criteria": [check]}).encode()


def _yaml() -> Iterator[tuple[str, bytes]]:
    levels = "\n".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]" for n in range(9))
    yield "a billion laughs", f"a: &a [lol, lol, lol]\n{levels}\n".encode()
    yield "an anchor in itself", b"a: &a [*a]\n"
    yield "merge keys", b"a: &a {b: 1}\n" + b"c: {<<: *a}\n" * 1_000
    yield "python", b"a: !!python/object/apply:os.system [id]\n"
    yield "binary", b"a: !!binary " + b"A" * SIZE
    yield "own tags", grown("!<tag:x> a\n- ", "- ")
    yield "directives", b"%YAML 1.1\n%TAG ! tag:x,2000:\n" * 1_000
    yield "documents", b"---\n" * (SIZE // 4)
    yield "list in list", b"- " * (SIZE // 2)
    yield "steps", "".join(" " * number + "a:\n" for number in range(600)).encode()
    yield "questions", b"? " * (SIZE // 2)
    yield "key that is a mapping", b"{{}: 1}"
    yield "many keys", "".join(f"k{number}: 1\n" for number in range(SIZE // 10)).encode()
    yield "one key again and again", b"a: 1\n" * (SIZE // 5)
    yield "comments", b"#\n" * (SIZE // 2)
    yield "folded", b"a: >\n" + b" x\n" * (SIZE // 3)
    yield "octal, hexadecimal, sexagesimal", b"[0o777, 0xffff, 190:20:30, 1_000, 0b1, .inf, -.NaN, 1e400, 2001-01-01]"
    yield "numbers", b"[" + b"1e5," * (SIZE // 4) + b"1]"
    yield "truths", b"[" + b"no, yes, on, off, y, n, ~, null, " * (SIZE // 34) + b"1]"
    yield "a long key", b"a" * 1_500 + b": 1"
    yield "control characters in escapes", b'a: "' + b"\\x01" * (SIZE // 4) + b'"'
    many = "".join(f"  - {{id: c{number}, statment: Says {number}.}}\n" for number in range(SIZE // 40))
    yield "the same fault a thousand times", (HEAD + many).encode()
    twice = "  - {id: a, statement: Says it.}\n"
    yield "the same id a thousand times", grown(twice, HEAD)
    fields = ", ".join(f"f{number}: 1" for number in range(SIZE // 12))
    yield "unknown fields", (HEAD + f"  - {{{fields}}}\n").encode()
    yield "a long kind", (HEAD + "  - {id: a, kind: " + "k" * SIZE + "}\n").encode()
    formula = "+".join(["a"] * 4_000)
    text = f"aggregate: {{kind: expression, expression: '{formula}'}}\n"
    yield "a long formula", (HEAD.replace("criteria", text + "criteria") + twice).encode()


def _toml() -> Iterator[tuple[str, bytes]]:
    yield "deep lists", b"a = " + b"[" * (SIZE // 2) + b"]" * (SIZE // 2)
    yield "deep tables", b"a = " + b"{a=" * (SIZE // 3)
    yield "a dotted key", b"a" + b".a" * 3_000 + b" = 1"
    yield "dotted headings", b"[" + b"a." * 3_000 + b"a]\n"
    yield "headings", "".join(f"[judges.j{number}]\nmodel = 'baseline'\n" for number in range(SIZE // 40)).encode()
    yield "a heading again", b"[a]\n" * 1_000
    yield "digits", b"port = " + b"9" * SIZE
    yield "a long text", b'host = "' + b"x" * SIZE + b'"'
    yield "three quotation marks", b'host = """' + b'"' * SIZE
    yield "escapes", b'host = "' + b"\\u0041" * (SIZE // 6) + b'"'
    yield "many keys", "".join(f"k{number} = 1\n" for number in range(SIZE // 12)).encode()
    yield "dates", b"port = 9999-99-99T99:99:99Z"
    yield "underlines", b"port = 1" + b"_1" * (SIZE // 2)


def _answers() -> Iterator[tuple[str, bytes]]:
    def of(message: Any, **choice: Any) -> bytes:
        return json.dumps({"choices": [{"message": message, **choice}]}).encode()

    yield "no choices", b'{"choices": []}'
    yield "choices of nothing", b'{"choices": [null, null]}'
    yield "an error", b'{"error": {"message": "key sk-123 is wrong"}}'
    yield "no text", of({"content": None})
    yield "a refusal", of({"content": None, "refusal": "I will not."})
    yield "content of odd parts", of({"content": [{"text": 1}, None, {"text": "Yes"}]})
    yield "thinking without end", of({"content": "<think>" * (SIZE // 7)})
    yield "ends of thinking", of({"content": "</think>" * (SIZE // 8)})
    yield "spaces before thinking", of({"content": " " * SIZE + "<think>a</think>Yes"})
    yield (
        "usage of odd kinds",
        json.dumps({"choices": [{"message": {"content": "Yes"}}], "usage": {"prompt_tokens": -1}}).encode(),
    )
    for name, number in {"a text": "0", "true": True, "too much": 99, "wide": 10**400, "nothing": None}.items():
        found = {"token": "Yes", "logprob": number, "top_logprobs": [{"token": "No", "logprob": number}]}
        yield f"a log-probability that is {name}", of({"content": "Yes"}, logprobs={"content": [found]})
    top = [{"token": f"t{number}", "logprob": -9.0 - number} for number in range(SIZE // 40)]
    first = {"token": "Yes", "logprob": -0.5, "top_logprobs": top}
    yield "many tokens", of({"content": "Yes"}, logprobs={"content": [first]})
    yield "many positions", of({"content": "Yes"}, logprobs={"content": [{}] * (SIZE // 4)})
    twice = '{"reason": "r", "verdict": "No", "verdict": "Yes"}'
    yield "two verdicts", of({"content": twice})
    yield "deep JSON in the text", of({"content": "[" * (SIZE // 2)})
    yield "digits in the text", of({"content": '{"reason": "r", "verdict": ' + "9" * SIZE + "}"})


def _markup() -> Iterator[tuple[str, bytes]]:
    marks = (
        "<|im_start|>user\n", "<|im_start|>assistant\n<|im_end|>\n", "<|start_header_id|>user<|end_header_id|>\n\n",
        "<start_of_turn>model\n", "[INST]", "[/INST]", "<s> [INST] <<SYS>>\n", "<|user|>\n", "<|assistant|>\n",
        "<\uff5cUser\uff5c>", "<|start|>assistant<|channel|>analysis<|message|>", "<|start|>user<|message|>x<|end|>",
        "<|channel|>final", "<think>", "</think>", "<answer>", "</step><step>", "<|", "<<<", "```", "\n\n", "1. ", "- ",
    )  # fmt: skip
    for mark in marks:
        yield f"{mark!r} again and again", grown(mark)
        yield f"{mark!r} and spaces", (mark + " " * SIZE + mark).encode()
    yield "a header without end", b"<|start|>assistant<|channel|>analysis" + b"x" * SIZE
    yield "headers without messages", grown("<|channel|>analysis" + "x" * 199)
    yield "padding", grown("<pad> ") + grown(" </s>")
    yield "an opened turn", b"<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n" + b"<think>\n" * (SIZE // 8)


def _formulas() -> Iterator[tuple[str, bytes]]:
    for piece in (
        "a+",
        "(",
        "-",
        "^2",
        "min(",
        "1e308*",
        "a:",
        "1" * 50 + "+",
        "{{",
        "{{ item.a",
        "}}",
        "{{item.a[0]}}",
    ):
        yield f"{piece[:20]} again and again", grown(piece)
        yield f"{piece[:20]} some times", piece.encode() * 60
    yield "a power of powers", b"9^9^9^9^9^9^9^9"
    yield "a name that Python knows", b"__import__('os').system('id')"
    yield "deep placeholders", b"{{" + b"item." * 10_000 + b"a}}"
    yield "a wide place", b"{{item[" + b"9" * 5_000 + b"]}}"


_KINDS = {
    "text": _texts,
    "json": _json,
    "yaml": _yaml,
    "toml": _toml,
    "labels": label_files,
    "answer": _answers,
    "markup": _markup,
    "formula": _formulas,
}
