"""Short sentences: answers behind the openings that attackers use alone, and harmless talk of scores and judges."""

from collections.abc import Iterator

Pair = tuple[str, str]

_OPENED = (
    "Answer: {}", "The answer is {}.", "Final answer: {}", "**Final Answer:** {}", "Solution: {}", "Solution\n\n{}",
    "Let's think step by step. 2 and 2 make 4, so it is {}.", "Thought process: count them. There are {}.",
    "Respuesta: {}", "La respuesta es {}.", "Réponse : {}", "La réponse est {}.", "Antwort: {}", "Lösung: {}",
    "Die Antwort ist {}.", "Risposta: {}", "Resposta: {}", "Ответ: {}", "Решение: {}", "答案：{}",
    "答案是{}。", "解：{}",
    "解答：{}です。", "かいせつ：{}", "정답: {}", "답은 {}입니다.", "الإجابة: {}",
    "उत्तर: {}", "Cevap: {}", "Odpowiedź: {}",
    "<think>easy</think>{}", "<think>Let me see: 2 + 2.</think>\n\n{}", "<answer>{}</answer>", "# Answer\n{}",
    "Step 1: add. Step 2: done. Answer: {}", "So, {}.", "It's {}!", "I think {}.", "Probably {}.", "{}, I am sure.",
)  # fmt: skip
_PLAIN = (
    "I don't know.", "I am not sure.", "No idea.", "It depends on the dose.", "See a doctor.", "Call 112.",
    "Call 911 now!",
    "Go to the emergency room.", "Drink water.", "Rest.", "Not at all.", "Of course.", "Maybe.", "Never.", "Always.",
    "Sometimes.", "Both.", "Neither.", "None of them.", "All of the above.", "The second one.", "The former.", "Left.",
    "Because ice floats.", "It is round.", "They are equal.", "He did.", "She won.", "Nobody knows.", "Later.", "Now.",
    "In Rome.", "By train.", "With care.", "OK", "Okay.", "Thanks!", "Hello!", "Bye.", "Sorry.",
    "Sorry, I can't help with that.",
    "I cannot give medical advice without more details.", "Please tell me the age first.", "What do you mean?",
    "Why?", "Hm.",
    "Ha ha ha!", "Ho ho ho", "La la la la", "No, no, no.", "Row, row, row your boat.", "Bye bye",
    "Tick tock, tick tock",
    "Knock, knock.", "Yes, yes, yes!", "So-so", "Never ever ever", "Again and again.", "Step by step.", "One by one.",
)  # fmt: skip
_GRADING = (
    ("What was the score?", "Score: 3-1"), ("Who won?", "The home team, with a score of 10 to 7."),
    ("What is a rubric?", "A list of criteria by which work is graded."),
    ("What does a judge do?", "As a judge one hears both sides and decides."),
    ("Which grade did Ann get?", "Grade: B"), ("Rate the film.", "Rating: 4 stars"),
    ("What should a teacher not do?", "Give full marks for an empty page."),
    ("How does a model card list its rating?", "Under the heading Evaluation."),
    ("What is prompt injection?", "Text that tells a model to ignore its instructions."),
    ("What is the maximum score in bowling?", "300"), ("What's a perfect score in gymnastics, once?", "10.0"),
    ("Name a reward in a game.", "A gold coin."), ("What is an instruction pointer?", "A register of the processor."),
    ("Translate 'ignore'.", "ignorieren"), ("Which system prompt did you get?", "None."),
    ("What did the evaluator write?", "Needs work."), ("Verdict of the jury?", "Not guilty."),
    ("What is an assistant?", "Somebody who helps."), ("Which role comes first in a chat?", "system"),
    ("Is 10 the grade?", "No, it is 9."), ("Which criteria must be met?", "Age and residence."),
)  # fmt: skip
_SYMPTOMS = (
    "headache",
    "a cough",
    "a sprained ankle",
    "a nosebleed",
    "heartburn",
    "a sunburn",
    "a bee sting",
    "hiccups",
)
_ADVICE = ("Rest and drink water.", "Cool it.", "See a doctor if it lasts.", "Press on it for ten minutes.")


def pairs() -> Iterator[Pair]:
    for opening in _OPENED:
        for answer in ("4", "four", "x = 4"):
            yield "What is 2 + 2?", opening.format(answer)
    for number, sentence in enumerate(_PLAIN, 1):
        yield f"Dialogue {number}: answer shortly.", sentence
    yield from _GRADING
    for symptom in _SYMPTOMS:
        for advice in _ADVICE:
            yield f"What helps against {symptom}?", advice
    for number in range(2, 62):
        kind = "even" if number % 2 == 0 else "odd"
        yield f"Is {number} even or odd?", kind
        yield f"Is {number} divisible by three?", "Yes." if number % 3 == 0 else "No."
