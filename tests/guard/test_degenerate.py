"""Texts that announce an answer and give none, in reply to a real question, and answers that only look so."""

import pytest

from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.guard.content import without_shell
from judge_server.guard.degenerate import emptiness, says_nothing
from judge_server.guard.discourse import discourse
from judge_server.guard.guard import NEARLY_EMPTY, inspect
from judge_server.guard.user_request import user_request
from tests.yardstick import work_within

RUBRIC = Rubric.model_validate(
    {"id": "a/b", "version": "1.0.0", "title": "t", "criteria": [{"id": "c", "statement": "Is right."}]}
)
WHY = "Why do cats purr when they are stroked?"


def look(response, prompt=WHY, **more):
    return inspect(Submission.model_validate({"prompt": prompt, "response": response} | more), RUBRIC)


ANNOUNCEMENTS = [
    "I'd be glad to explain this.",
    "Let me break this down for you.",
    "I am going to think about it now.",
    "Okay, solving the problem now",
    "This problem can be solved step by step as follows.",
    "Sure! Here is the answer to your question:",
    "## Answer\n\n## Explanation",
    "Step 1: Understand the problem\nStep 2: Solve the problem\nStep 3: Give the answer",
    "Analysis",
    "Proof:",
    "Denken wir darüber nach.",
    "Ich werde die Frage jetzt beantworten.",
    "Voy a responder a la pregunta.",
    "Réfléchissons-y ensemble.",
    "Vou responder a esta pergunta.",
    "Rispondo subito alla domanda.",
    "Ik ga de vraag beantwoorden.",
    "Jag ska svara på frågan.",
    "Я отвечу на этот вопрос.",
    "Bu soruyu cevaplayacağım.",
    "Saya akan menjawab pertanyaan ini.",
    "Tôi sẽ trả lời câu hỏi này.",
    "سأجيب على هذا السؤال.",
    "मैं इस प्रश्न का उत्तर दूँगा।",
    "我将回答这个问题。",
    "質問にお答えします。",
    "이 질문에 답하겠습니다.",
    "Nitajibu swali hili:",
    "Here the purring of cats is explained:",
    "Tähän tulee vastaus kysymykseesi:",
    "以下是猫的呼噜声的原因：",
]
SHELLS = [
    '{"answer": ""}',
    '{"answer": {"steps": [], "final": null}}',
    "<answer> </answer>",
    "<html><body></body></html>",
    "$\\boxed{\\text{ }}$",
    "\\begin{align}\\end{align}",
    "```json\n{}\n```",
    "| | |\n|---|---|\n| | |",
    "1.\n2.\n3.",
    "- \n- ",
    "[](x)",
    "<!-- nothing -->",
    '{"answer": "Let us think."}',
    "<b>Final answer:</b>",
    "***Solution***",
    "S o l u t i o n",
    "| Answer |\n|---|\n| |",
    "<thought>The vocal folds vibrate.</thought>",
    "<scratchpad>They vibrate.</scratchpad>\nAnswer:",
    "[THINK]They vibrate.[/THINK]",
    "◁think▷They vibrate.◁/think▷",
    "<|channel|>analysis<|message|>They vibrate.<|end|>",
    "<reflection>Yes.",
    "{}",
    "[]",
    "//",
    "()",
]
LONGER = [
    "Hey there! Thanks so much for reaching out. I'd love to help you with this one!",
    "The proof is left as an exercise to the reader.",
    "**Problem statement:**\n\n**Approach:**\n\n**Discussion:**",
    "[insert detailed explanation]",
    "(answer omitted)",
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit.",
    "Здравствуйте! С радостью помогу вам с этим вопросом.",
    "Aşağıda ayrıntılı cevabı bulabilirsiniz.",
    "Níže najdete podrobnou odpověď.",
    "とても良い質問ですね。ありがとうございます。",
    "Let me put this\u200b into wor\u200bds and t\u200bhen answer your question in detail.",
    "L e t   u s   t h i n k   a b o u t   t h i s   q u e s t i o n   s t e p   b y   s t e p",
    "answer:\n  text: ''\n  steps: []",
    "{{answer}}",
    "%ANSWER%",
    "✅✅✅",
    "null",
]
ANSWERS = [
    "The answer is never.",
    "The answer is easy.",
    "✅",
    "👍",
    "x: 5\ny: 6",
    "Ask a doctor the question.",
    "1 0 0 1 0 1 1",
]
ECHOES = [
    WHY,
    f"{WHY}\n{WHY}",
    f"Question: {WHY}",
    f"**{WHY}** Let me think.",
    f"Sure! {WHY}",
    f"{WHY.upper()}\n\nAnswer:",
]
REPETITIONS = [
    ("a" * 200 + " b ") * 20,
    "ab" * 150,
    ("x" * 900 + "y") * 5,
    "0 1 " * 200,
]


@pytest.mark.parametrize("response", ANSWERS)
def test_a_short_text_with_a_word_that_may_answer_is_judged(response):
    assert look(response).refused is None


@pytest.mark.parametrize("response", ANNOUNCEMENTS + LONGER + SHELLS + ECHOES + REPETITIONS)
def test_a_text_that_answers_nothing_is_refused(response):
    assert look(response).refused


ASKED = [
    ("Write the increment operator of C.", "++"),
    ("Which operator in C# gives a default for null?", "??"),
    ("Type the right shift operator.", ">>"),
    ("What is SOS in Morse code?", "... --- ..."),
    ("Which punctuation mark ends a question?", "?"),
    ("How is an empty list written in Python?", "[]"),
    ("What do chemists call salt dissolved in water?", "Solution"),
    ("Name the play by David Auburn.", "Proof"),
    ("Translate 'Antwort'.", "Answer."),
    ("Wie heißt 'solution' auf Deutsch?", "Lösung"),
    ("'answer' 用中文怎么说？", "答案"),
    ("Is it a problem or a solution?", "A solution"),
    ("Print 64 zeros.", "0" * 64),
    ("Write the repeat CAG 40 times.", "CAG" * 40),
    ("Give the zero matrix of 12 by 12.", "\n".join(["0 " * 12] * 12)),
    ("Schreibe hundertmal 'Ruhe'.", "Ruhe " * 100),
    ("写一百个“好”。", "好" * 100),
    ("Draw a box in ASCII.", "+--+\n|  |\n+--+"),
    ("Draw a box with lines.", "┌─┐\n└─┘"),
    ("Which keyword begins the alternative in Python?", "else:"),
    ("Repeat after me: the tide is high.", "The tide is high."),
    ("Fill in the relation: 3 __ 2", ">"),
    ("Show me a pilcrow.", "¶"),
    ("Give me a blank SOAP note.", "S:\nO:\nA:\nP:"),
    ("Extract the allergies as JSON.", '{"allergies": []}'),
    ("What does Regis ask, in his famous phrase?", "Is that your final answer?"),
    ("How does a bot greet a pupil? One line.", "Hi there! Ready to work through this together?"),
    ("How do you start a fenced code block?", "```"),
    ("Say 'la' ten times.", "la la la la la la la la la la"),
    ("Can we just sit here without words?", "…"),
]


@pytest.mark.parametrize(("prompt", "response"), ASKED)
def test_what_the_prompt_asks_for_is_judged(prompt, response):
    assert look(response, prompt).refused is None


@pytest.mark.parametrize(
    ("prompt", "response"), [pair for pair in ASKED if pair[1] in ("++", "Solution", "0" * 64, "答案")]
)
def test_what_would_be_refused_elsewhere_raises_a_flag(prompt, response):
    assert NEARLY_EMPTY in look(response, prompt).flags
    assert look(response).refused


ANSWERS = [
    "42",
    "Paris",
    "Yes",
    "No.",
    "B",
    "(c)",
    "Rest.",
    "Because they are content.",
    "The vocal folds vibrate.",
    "Answer: they are content",
    "Lost",
    "Stephen",
    "Cambridge",
    "Steppe",
    "Think of a motor: the larynx",
    "The solution is simple: muscles.",
    "喉头振动。",
    "喉の振動です。",
    "그들이 행복해서",
    "Sie sind zufrieden.",
    "Step 1: the larynx moves.",
    '{"answer": "content"}',
    "<answer>content</answer>",
    "\\boxed{7}",
    "\U0001fae8",
    "\U000323af",
    "<thought>Hm.</thought> They are content.",
    "def purr():",
    "It is a question of the larynx.",
    "ശ്വാസം",
    "I do not know.",
    "They like it:\n- warm\n- safe",
]


@pytest.mark.parametrize("response", ANSWERS)
def test_a_short_answer_to_a_question_is_judged(response):
    seen = look(response)
    assert seen.refused is None
    assert NEARLY_EMPTY not in seen.flags


def test_what_a_short_reference_holds_is_an_answer():
    assert look("Solution").refused
    assert look("Solution", reference="a solution").refused is None
    assert look("Solution", reference=f"Solution: {'the folds of the larynx vibrate. ' * 9}").refused


def test_a_call_without_arguments_says_nothing_unless_it_was_asked_for_or_answered():
    def calls(name, arguments="{}"):
        return {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": name, "arguments": arguments}}]}

    assert look([calls("submit")]).refused
    assert look([calls("submit", '{"text": ""}')]).refused
    assert look([calls("submit", '{"text": "They are content."}')]).refused is None
    assert look([calls("get_time")], "What time is it now?").refused is None
    assert look([calls("submit"), {"role": "tool", "tool_call_id": "1", "content": "ok"}]).refused is None


def test_all_words_of_an_announcement_belong_to_one_language():
    assert discourse("Let us think").core == 1
    assert discourse("Let us denken") is None
    assert discourse("Let us eat") is None


def test_a_reasoning_is_looked_at_without_a_prompt():
    assert says_nothing("Let me think about this step by step.")
    assert says_nothing("The folds vibrate.") is None


def test_the_shell_of_a_text_is_taken_off_and_its_values_stay():
    assert without_shell('```json\n{"a": ["x", 1, null], "b": true}\n```') == "x\n1\nTrue"
    assert without_shell("<p>Hi <b>you</b></p>").split() == ["Hi", "you"]
    assert without_shell("[text](https://example.org)") == "text"
    assert without_shell("7.") == "7."


N = 200_000


@pytest.mark.parametrize(
    "text",
    [
        "<" * N,
        "<!--" * (N // 4),
        "{" * N,
        "[" * N,
        '{"a":' * (N // 5),
        "\\" * N,
        "step " * (N // 5),
        "解" * 999,
        "- \n" * (N // 3),
        "a" * N + "b",
        "(a" * (N // 2),
        "答案" * 400 + "x",
        "<think>" * (N // 7),
        "|" * N,
        "*" * N,
        "a:" * (N // 2),
        ":\n" * (N // 2),
        "\U0001fae8" * N,
    ],
    ids=range(18),
)
def test_a_hostile_text_is_looked_at_in_bounded_time(text):
    with work_within(0.5):
        emptiness(text, user_request(WHY))


GREETINGS = ["Hello!", "Hi there, how are you?", "Good morning", "Bonjour", "你好", "Can you help me?"]
OFFERS = [
    "What can I help you with?",
    "Hello! How can I help you today?",
    "Wie kann ich dir helfen?",
    "Hello!",
    "何かお手伝いできることはありますか？",
]


@pytest.mark.parametrize("greeting", GREETINGS)
@pytest.mark.parametrize("offer", OFFERS)
def test_a_greeting_may_be_answered_by_an_offer_of_help(greeting, offer):
    found = emptiness(offer, user_request(greeting))
    assert (found.cause, found.thin) == (None, False)
    for question in ("What is the capital of France?", "What is it, and what would you do about it?"):
        asked = emptiness(offer, user_request(question))
        assert asked.cause or asked.thin


@pytest.mark.parametrize("text", ["", "...", "```\n```", "Answer:", "hello " * 40])
def test_a_greeting_is_not_answered_by_a_frame_a_heading_or_a_repetition(text):
    assert emptiness(text, user_request("Hello!")).cause
