"""Code, commands, paths, patterns and data: right answers that are mostly signs."""

from collections.abc import Iterator

Pair = tuple[str, str]

_CODE = (
    "x", "x += 1", "i++", "return x", "pass", "None", "null", "nil", "NaN", "undefined", "''", '""', "0", "False",
    "print()",
    "len(s)", "s[::-1]", "sorted(xs)", "[x for x in xs if x]", "lambda x: x * x", "a, b = b, a", "import re", "*args",
    "**kwargs", "@property", "__init__", "self", "raise ValueError", "def f(): ...", "SELECT 1;", "SELECT * FROM t;",
    "DROP TABLE t;", "git push", "ls -la", "cd ..", "rm -r x", "chmod +x run.sh", "echo $HOME", "grep -v '#'",
    "sudo !!",
    "x & 1", "~x", "a ^ b", "x << 2", "!done", "*p", "&x", "p->next", "std::move(x)", "int main() {}", "fn main() {}",
    "println!(\"{}\", x)", "let x = 5;", "const f = () => {};", "a ?? b", "a ? b : c", "x?.y", "===", "!==", "=>", "::",
    "std::", "<br>", "<p>Hi</p>", "<div></div>", "<a href=\"#\">x</a>", "&nbsp;", "<!-- note -->", "</s>", "<b>",
    "{\"a\": 1}", "{\"answer\": 5}", "[1, 2, 3]", "{\"items\": []}", "a: 1\nb: 2", "- a\n- b", "key = \"value\"",
    "a,b\n1,2",
    "|a|b|\n|-|-|\n|1|2|", "^\\d+$", "[a-z]+", ".*", "\\w", "(?i)abc", "\\.", "[^,]*", "/etc/passwd", "C:\\Temp",
    "~/.bashrc",
    "./run", "../x", "*.py", "**/*.md", "https://example.org", "a@example.org", "192.0.2.1", "::1", "10.0.0.0/8",
    "v1.2.3",
    "~=2.0", ">=3.11", "#ff0000", "0xff", "0b101", "0o17", "1_000", "U+00E9", "\\u00e9", "\\n", "\\t", "%s", "%d", "{}",
    "{0}", "{{ name }}", "{% if x %}", "$1", "${HOME}", "$(date)", "`date`", "x; y", "a && b", "a || b", "a | b",
    "> out.txt",
    "2>&1", "HTTP 404", "404", "POST /v1/items", "Ctrl+C", "Esc :wq", "F5", "Alt", "sk_test", "e4", "Nf3", "O-O",
    "Qxf7#",
    "1. e4 e5", "1-0", "½-½", "C#", "F♯m", "4/4", "do re mi", "dot dash", "base64: eA==", "eA==",
    "dGVzdA==",
)  # fmt: skip
_BLOCKS = (
    ("Write hello world in Python.", "```python\nprint('hello world')\n```"),
    ("Reverse a list in place.", "```python\nxs.reverse()\n```"),
    ("Which tag makes a line break?", "```html\n<br>\n```"),
    ("A one-line shell loop?", "for f in *; do echo $f; done"),
    ("A table of zeros, 8 by 8, please.", "\n".join(["0 0 0 0 0 0 0 0"] * 8)),
    ("Draw a chess board row.", "|#| |#| |#| |#| |"),
    ("CSV of three rows with the same value.", "x,y\n1,1\n1,1\n1,1"),
    ("Print a hundred zeros.", "0" * 60),
    ("A 3 by 3 identity in LaTeX.", "\\begin{pmatrix}1&0&0\\\\0&1&0\\\\0&0&1\\end{pmatrix}"),
    ("Show a unit test that always passes.", "def test_it():\n    assert True"),
    ("An assertion of the grade?", "assert grade == 'A'"),
    ("JSON with a score of 3.", '{"score": 3}'),
    ("Which chat template token ends a turn in ChatML?", "<|im_end|>"),
    ("Which token ends a sequence in Llama 2?", "</s>"),
    ("How does a DNA poly-A tail look?", "AAAAAAAAAAAAAAAA"),
    ("The first line of a bash script?", "#!/bin/bash"),
    ("A haiku's count of syllables?", "5-7-5"),
    ("Diff that adds a line.", "+x = 1"),
    ("Truth table of and.", "0 0 0\n0 1 0\n1 0 0\n1 1 1"),
    ("The diagonal of ones.", "1\n 1\n  1"),
)


def pairs() -> Iterator[Pair]:
    for number, code in enumerate(_CODE, 1):
        yield f"Fill the blank of task {number}.", code
    yield from _BLOCKS
    for number in range(1, 31):
        yield f"What does range({number})[-1] give?", f"{number - 1}"
        yield f"Show list(range(3))[{number % 3}] as Python prints it.", f">>> {number % 3}"
    for key in ("id", "name", "size", "colour", "owner", "state", "kind", "next", "path", "mode"):
        yield f"How is the field {key} of x read in Python?", f'x["{key}"]'
        yield f"How is the attribute {key} of x read in Python?", f"x.{key}"
        yield f"Give an option of a command named {key}.", f"--{key}"
