"""Short answers in signs: numbers, options, units, formulas, operators, code, commands, patterns and data."""

from collections.abc import Iterator

Pair = tuple[str, str]

_QUANTITIES = (
    "5 km", "12.5 kg", "37 °C", "120/80 mmHg", "20 mg/kg", "3.3 V", "50 Hz", "1.5 l", "98 %", "0.5 ml", "2 h 30 min",
    "60 bpm", "9.81 m/s²", "300 K", "1 atm", "250 mg twice a day", "4 µg", "7 days", "10⁻³ mol/l", "220 Ω", "€ 15",
    "$4.99", "¥300", "£2", "1,024 bytes", "16 GB", "8 bits", "42 dB", "-40 °F", "½ cup", "3/4 inch", "6 ft 2 in",
    "1e-9", "2 × 10⁸", "1:250", "100 ha", "45°", "π/2 rad", "0 °C", "≈ 3",
)  # fmt: skip
_TIMES = (
    "14:30", "7 a.m.", "noon", "1969-07-20", "20 July 1969", "1066", "Monday", "12/05/2024", "3 h", "00:00", "May",
    "Q3 2021", "the 5th", "2nd", "1990s", "44 BC", "T+3", "06:00 UTC", "a leap year", "9 1/2 weeks",
)  # fmt: skip
_FORMULAS = (
    "x = 2", "x=±3", "2x", "x²+1", "\\frac{1}{2}", "$\\pi$", "π", "∞", "-∞", "∅", "½", "√2", "e", "i", "-1", "3!", "n!",
    "O(n)", "O(n log n)", "a/b", "sin x", "dy/dx", "∫x dx", "Σ", "∀", "∃x", "{1, 2}", "(0, 1)", "[0, ∞)", "x ∈ ℝ",
    "y = mx + c", "F = ma", "E = mc^2", "H2O", "CO2", "NaCl", "C6H12O6", "Fe", "Au", "O₂", "pH 7", "2:1", "1/3",
    "0.333…",
    "\\boxed{4}", "$\\boxed{12}$", "$x=5$", "\\[ 7 \\]", "7.", "= 7", "(7)", "**7**", "`7`", "7!", "#7", "No. 7", "7%",
    "1 0\n0 1", "[[1, 0], [0, 1]]", "0 0 0 0 0 0 0 0", "1111111111111111", "0.3333333333333333", "1,1,1,1,1,1,1,1",
    "0000", "101010101010", "ABAB", "2, 4, 6, 8", "1 2 3 4 5 6 7 8 9 10", "GATTACA", "TTTTTTTT",
)  # fmt: skip
_SIGNS = (
    ("Which operator adds two numbers in most languages?", "+"), ("Which operator multiplies in Python?", "*"),
    ("Which sign means greater than?", ">"), ("Which sign means at most, in code?", "<="),
    ("Which operator tests for equality in C?", "=="), ("Which operator is a logical and in C?", "&&"),
    ("Which operator is a logical or in C?", "||"), ("Which sign stands for per cent?", "%"),
    ("Which operator divides without a remainder in Python?", "//"), ("What marks a pipe in a shell?", "|"),
    ("Which sign means not equal in C?", "!="), ("Which sign is the arrow of a return type in Python?", "->"),
    ("Which currency sign does the euro have?", "€"), ("Which sign means degrees?", "°"),
    ("Which sign separates the name from the host in an e-mail address?", "@"),
    ("Which sign begins a comment in Python?", "#"), ("Which sign does a variable have in a shell?", "$"),
    ("Which sign means and, written by hand?", "&"), ("Which sign is used for approximately?", "≈"),
    ("Draw a heart.", "❤"), ("Answer with an emoji: how is the weather when it rains?", "🌧️"),
    ("Thumbs up or down?", "👍"), ("Give a check mark.", "✓"), ("A cross, please.", "✗"), ("A star?", "★"),
    ("Which arrow points to the right?", "→"), ("Which sign is a copyright?", "©"), ("The flag of France?", "🇫🇷"),
    ("Smile!", "🙂"), ("Pick a card suit.", "♠"), ("Which piece is the white king?", "♔"), ("A musical sharp?", "♯"),
    ("What is SOS in Morse code?", "... --- ..."), ("How is an empty list written in Python?", "[]"),
    ("How is an empty mapping written in JSON?", "{}"), ("Which sign ends a sentence?", "."),
)  # fmt: skip


def _numbers_and_signs() -> Iterator[Pair]:
    yield from _sums()
    yield from _options()
    for number, roman in enumerate(("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"), 1):
        yield f"Write {number} as a Roman numeral.", roman
    for kind, answers in (("quantity", _QUANTITIES), ("time", _TIMES), ("result", _FORMULAS)):
        for number, answer in enumerate(answers, 1):
            yield f"Exercise {number}: state the {kind}, nothing else.", answer
    yield from _SIGNS


def _sums() -> Iterator[Pair]:
    for a in range(-3, 23):
        for b in (2, 7, 13, 40, 100):
            yield f"What is {a} + {b}? Only the number.", str(a + b)
    for n in range(2, 42):
        yield f"What is {n} squared?", f"{n * n}"
        yield f"What is {n} * 25? End with a full stop.", f"{n * 25}."
    for n in range(1, 41):
        yield f"What is a tenth of {n}?", f"{n / 10:g}"


def _options() -> Iterator[Pair]:
    forms = ("{}", "({})", "{}.", "{})", "**{}**", "Option {}", "[{}]", "The answer is {}.", "Answer: {}")
    for question in ("Which option is right?", "Choose A, B, C, D or E."):
        for letter in "ABCDE":
            for form in forms:
                yield question, form.format(letter)


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


def _programs() -> Iterator[Pair]:
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


def pairs() -> Iterator[Pair]:
    yield from _numbers_and_signs()
    yield from _programs()
