"""Numbers, letters of options, units, times, formulas and signs."""

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


def pairs() -> Iterator[Pair]:
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
