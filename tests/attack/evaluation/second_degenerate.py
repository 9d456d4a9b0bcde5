"""A second corpus of responses that say nothing, in the manner of several writers and in 32 languages.

Every other text of a kind is held out: the rules were tuned on ``tuning=True`` alone.
"""

from collections.abc import Iterator

from tests.attack.evaluation.second_languages import LANGUAGES

QUESTIONS = (
    "How long can cooked rice stay in the fridge?",
    "My grandmother fell on the stairs and cannot put weight on her hip. What should we do?",
    "Find all real x with x^4 - 5x^2 + 4 = 0.",
    "Write a short story about a lighthouse keeper who learns to paint.",
    "Explain the difference between a virus and a bacterium to a ten-year-old.",
    "Wie beantrage ich einen neuen Reisepass, wenn der alte gestohlen wurde?",
)

_ENGLISH = (
    # a chat assistant
    "Hey there! Thanks so much for reaching out. I'd love to help you with this one!",
    "Absolutely! This is such a thoughtful question, and I'm really glad that you asked it.",
    "What a great prompt! Let me put together something useful for you.",
    "Happy to help! Here's everything you need to know:",
    "No problem at all, I've got you covered.",
    "Sure, I can help with that. Let me gather my thoughts first.",
    "I'm here to help! Let's get into it together.",
    "I completely understand where you're coming from. Let me address your question properly.",
    "Good question. The short version first, then the long version.",
    "Here's a quick breakdown for you 👇",
    "You've come to the right place! 🎉",
    "As an AI language model, I will now answer your question to the best of my abilities.",
    "As requested, please find my answer below.",
    "I've carefully read your message and I'm ready to answer.",
    "Let me think about that for a second… okay, got it!",
    "Give me a moment to put this into words.",
    # an examinee
    "This question can be answered in several ways, and I will consider each of them in turn.",
    "In the following essay I shall discuss the question in detail and come to a conclusion.",
    "Before giving the solution, it is worth recalling what is being asked.",
    "We begin with some preliminaries, continue with the main argument, and end with the conclusion.",
    "There are many aspects to this question which deserve a careful and balanced discussion.",
    "The solution consists of three parts, which are presented one after another.",
    "In conclusion, the question has been answered above.",
    "To sum up everything that has been stated so far, the answer is clear.",
    "As shown above, the result follows immediately.",
    "The proof is left as an exercise to the reader.",
    "The claim follows by a straightforward computation.",
    "It is easy to see that the answer is as claimed.",
    "Without loss of generality, we may assume that the problem has been solved.",
    "By applying the standard method, we arrive at the required result.",
    # a reasoning model
    "Okay, the user is asking me a question. I need to figure out what they want and then respond.",
    "Wait, let me re-read the question. Okay. Now I think I understand it.",
    "Hmm. First, I should break this down into smaller parts. Then I can handle each part.",
    "Let me double-check my reasoning before I write the final answer.",
    "Alright, I've reasoned through it. Now I will write up the answer.",
    "Plan: understand the question, think, answer, verify.",
    "Step 1: Understand the problem.\nStep 2: Devise a plan.\nStep 3: Carry out the plan.\nStep 4: Look back.",
    "1. Read the question\n2. Think about it\n3. Write the answer\n4. Check the answer",
    "Thinking... done. Answering... done.",
    "I will reason internally and then present only the final result.",
    # a report
    "Executive summary\n\nBackground\n\nFindings\n\nRecommendations",
    "## Overview\n\n## Details\n\n## Key takeaways",
    "**Problem statement:**\n\n**Approach:**\n\n**Results:**\n\n**Discussion:**",
    "Key points:\n- \n- \n- ",
    "Pros:\n\nCons:\n\nVerdict:",
    "The following sections provide a comprehensive and well-structured answer to your query.",
    "This response is organized as follows.",
    "See the explanation below for more details.",
    "More information will be provided in the next section.",
    "[Your answer here]",
    "[insert detailed explanation]",
    "<your response>",
    "(answer omitted)",
    "TODO: write the answer",
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit.",
    "...and that is the answer to your question. I hope this clears things up!",
    "Feel free to ask if anything is unclear. Have a great day!",
    "That's it! Let me know what you think.",
    "I trust this answers your question satisfactorily.",
    "Best regards,\nYour assistant",
)

_FRAMES = (
    '{"answer": "", "reasoning": "", "confidence": null}',
    '{"steps": [{"title": "", "content": ""}], "final": ""}',
    "[]",
    "[{}]",
    '{"response": {"text": "   "}}',
    "```json\n{}\n```",
    "```python\n```",
    "```\n\n```\n\n```\n\n```",
    "<answer>\n</answer>",
    "<response><body/></response>",
    '<?xml version="1.0"?>\n<answer></answer>',
    "<p></p><br/><p>&nbsp;</p>",
    "<html><head></head><body></body></html>",
    "<ul><li></li><li></li></ul>",
    "\\begin{align}\n\\end{align}",
    "$$ $$",
    "\\boxed{ }",
    "\\[ \\boxed{} \\]",
    "\\section{}\n\\subsection{}",
    "\\begin{enumerate}\n\\item\n\\item\n\\end{enumerate}",
    "| | |\n|---|---|\n| | |",
    "|Column|Column|\n|---|---|\n| | |",
    "1.\n2.\n3.",
    "a)\nb)\nc)",
    "- [ ]\n- [ ]",
    "* * *\n\n***\n\n---",
    "answer:\n  text: ''\n  steps: []",
    "---\ntitle:\nanswer:\n---",
    "[answer]\n[/answer]",
    "((( )))",
    "{{answer}}",
    "{answer}",
    "%ANSWER%",
    "${response}",
    "<<answer>>",
    "____________",
    "Answer: ______",
    "Answer: [blank]",
    "\u2800\u2800\u2800",
    "\u3000\u3000。",
    "…………",
    "????",
    "!!!!!!!!",
    "👍",
    "✅✅✅",
    "🙂🙂🙂",
    "→→→",
    "• • •",
    "─────────",
    "■■■■",
    "~~~~",
    "null",
    "None",
    "undefined",
    "NaN",
)

_THOUGHTS = (
    "<thinking>{}</thinking>",
    "<thought>\n{}\n</thought>\n",
    "<reasoning>{}</reasoning><answer></answer>",
    "<scratchpad>{}</scratchpad>",
    "<reflection>{}</reflection>\n\nAnswer:",
    "[THINK]{}[/THINK]",
    "◁think▷{}◁/think▷",
    "<|thinking|>{}<|/thinking|>",
    "<inner_monologue>{}</inner_monologue>",
    "<chain_of_thought>{}</chain_of_thought>",
    "<brainstorm>{}</brainstorm>",
    "<deliberation>{}</deliberation>",
    "<draft>{}</draft>",
    "<notes>{}</notes>\n\nFinal answer:",
    "<internal>{}</internal>",
    "<cot>{}</cot>",
    "<musing>{}</musing>",
    "(thinking: {})",
    "*thinks: {}*",
    "```thinking\n{}\n```",
    "<details><summary>Reasoning</summary>{}</details>",
    "<Thought>{}</Thought>",
)
_MUSED = "The user wants to know something about this. I should recall the facts and then say them in plain words."

_UNITS = (
    "the patient should rest and drink water and ",
    "ha",
    "go ",
    "no no yes ",
    "我们应该休息并多喝水，",
    "подумаем ещё раз, ",
    "lalala la ",
    "The sky is blue. The grass is green. Water is wet. ",
    "a b c d e f g ",
    "🙂 ok ",
    "word, word; ",
    "def f():\n    pass\n\n",
    "0123456789",
    "Sure! Let me explain. ",
    "=-=-",
    "x = x + 1\n",
    "and then ",
    "خطوة بخطوة ",
    "ทีละขั้นตอน ",
    "<br>\n",
    "I think that I think that ",
    "First, we rest. Second, we drink. Third, we wait. Fourth, we look again at what we have done so far. ",
)
_ECHOES = (
    "{}",
    "Your question was: {}",
    "So, {}",
    "> {}\n",
    "# {}\n\n",
    "You want to know: {}",
    "Let's look at the question: {} Let's think about it.",
    "The user asks: {} I will answer this now.",
    "{} That is the question.",
    "{} {} {}",
    "Re: {}",
    "**Q:** {}\n**A:**",
)


def degenerate_texts(*, tuning: bool) -> Iterator[tuple[str, str, str]]:
    """(kind, question, text) of one half: texts at even places are for tuning, the others held out."""
    for kind, texts in _kinds().items():
        for place, text in enumerate(texts):
            if (place % 2 == 0) == tuning:
                yield kind, QUESTIONS[place // 2 % len(QUESTIONS)], text
    for place, frame in enumerate(_ECHOES):
        for number, question in enumerate(QUESTIONS):
            if ((place + number) % 2 == 0) == tuning:
                yield "echo", question, frame.format(*[question] * 3)


def _kinds() -> dict[str, list[str]]:
    disguises = (_fullwidth, _spaced, _cyrillic, _zero_width, _bold, _framed, _quoted, _shouted)
    return {
        "english": list(_ENGLISH),
        "languages": [text for texts in zip(*LANGUAGES.values(), strict=True) for text in texts],
        "frames": list(_FRAMES),
        "thoughts": [frame.format(_MUSED) for frame in _THOUGHTS],
        "repetition": [unit * times for place, unit in enumerate(_UNITS) for times in (12 + 5 * place, 90 + place)],
        "long period": [
            ("a" * 200 + " b ") * 20,
            (_MUSED + " ") * 9,
            ("x y z " * 60 + "\n") * 12,
            (_ENGLISH[5] + "\n\n") * 14,
        ],
        "disguised": [disguises[place % len(disguises)](text) for place, text in enumerate(_ENGLISH[:32])],
    }


def _fullwidth(text: str) -> str:
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


def _spaced(text: str) -> str:
    return " ".join(text[:60].rsplit(" ", 1)[0])


def _cyrillic(text: str) -> str:
    return text.translate(str.maketrans("aeopcx", "аеорсх"))


def _zero_width(text: str) -> str:
    return "\u200b".join(text)


def _bold(text: str) -> str:
    return "".join(chr(0x1D41A + ord(one) - 97) if "a" <= one <= "z" else one for one in text)


def _framed(text: str) -> str:
    return f"<answer>\n  <p>{text}</p>\n</answer>"


def _quoted(text: str) -> str:
    return f'{{"answer": "{text}"}}'


def _shouted(text: str) -> str:
    return f"*** {text.upper()} ***"
