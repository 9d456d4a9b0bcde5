"""Short answers in words: yes, no and names in many languages, short sentences, harmless talk of scores and judges."""

from collections.abc import Iterator

Pair = tuple[str, str]

_YES_NO = (
    ("Yes", "No"), ("yes", "no"), ("YES", "NO"), ("True", "False"), ("true", "false"), ("T", "F"), ("Y", "N"),
    ("Correct", "Wrong"), ("Sí", "No"), ("Oui", "Non"), ("Ja", "Nein"), ("Sì", "No"), ("Sim", "Não"), ("Tak", "Nie"),
    ("Да", "Нет"), ("Так", "Ні"), ("Ano", "Ne"), ("Igen", "Nem"), ("Kyllä", "Ei"), ("Jah", "Ei"), ("Jā", "Nē"),
    ("Evet", "Hayır"), ("نعم", "لا"), ("כן", "לא"), ("بله", "نه"), ("हाँ", "नहीं"), ("হ্যাঁ", "না"), ("ஆம்", "இல்லை"),
    ("ใช่", "ไม่"), ("Có", "Không"), ("Ya", "Tidak"), ("Ndiyo", "Hapana"), ("是", "不是"), ("对", "不对"), ("有", "没有"),
    ("はい", "いいえ"), ("예", "아니요"), ("네", "아뇨"), ("Ναι", "Όχι"), ("Da", "Nu"), ("Po", "Jo"), ("Bəli", "Xeyr"),
    ("დიახ", "არა"), ("Այո", "Ոչ"), ("Тийм", "Үгүй"), ("បាទ", "ទេ"), ("ဟုတ်ကဲ့", "မဟုတ်ဘူး"), ("አዎ", "አይ"),
)  # fmt: skip
_CAPITALS = {
    "France": "Paris", "Japan": "Tokyo", "Peru": "Lima", "Kenya": "Nairobi", "Norway": "Oslo", "Cuba": "Havana",
    "Iraq": "Baghdad", "Chile": "Santiago", "Nepal": "Kathmandu", "Ghana": "Accra", "Egypt": "Cairo", "Spain": "Madrid",
    "Italy": "Rome", "Iran": "Tehran", "Fiji": "Suva", "Togo": "Lomé", "Mali": "Bamako", "Laos": "Vientiane",
    "Oman": "Muscat", "Malta": "Valletta", "Qatar": "Doha", "Tonga": "Nukuʻalofa", "Yemen": "Sanaa",
    "Haiti": "Port-au-Prince",
    "Samoa": "Apia", "Gabon": "Libreville", "Chad": "N'Djamena", "Brazil": "Brasília", "Paraguay": "Asunción",
    "Iceland": "Reykjavík", "Moldova": "Chișinău", "Korea": "서울", "China": "北京",
    "Greece": "Αθήνα", "Ukraine": "Київ",
}  # fmt: skip
_WORDS = {
    "water": (
        "agua", "eau", "Wasser", "acqua", "água", "woda", "вода", "víz", "vesi", "su", "ماء", "מים", "पानी", "জল",
        "น้ำ", "nước", "air", "maji", "水", "みず", "물", "νερό", "apă", "ujë", "ჯური", "ջուր", "ус", "ទឹក", "ရေ", "ውሃ",
    ),
    "fire": ("fuego", "feu", "Feuer", "fuoco", "fogo", "ogień", "огонь", "tűz", "tuli", "ateş", "نار", "אש", "आग",
    "火", "불"),
    "house": ("casa", "maison", "Haus", "dom", "дом", "ház", "talo", "ev", "بيت", "בית", "घर", "บ้าน", "nhà",
    "家", "집"),
    "thank you": (
        "gracias", "merci", "danke", "grazie", "obrigado", "dziękuję", "спасибо", "köszönöm", "kiitos", "teşekkürler",
        "شكرا", "תודה", "धन्यवाद", "ขอบคุณ", "cảm ơn", "asante", "谢谢", "ありがとう", "감사합니다", "ευχαριστώ",
    ),
    "dog": ("perro", "chien", "Hund", "cane", "cão", "pies", "собака", "kutya", "koira", "köpek", "كلب", "כלב",
    "कुत्ता", "狗", "개"),
}  # fmt: skip
_KANJI = "日月山川木林森金土人口手足目耳雨雪花草虫魚鳥犬牛馬石竹糸米車門王玉"
_NAMES = (
    "Ada Lovelace", "Bach", "Ibn Sina", "Marie Curie", "Li Bai", "李白", "Fridtjof Nansen", "Homer", "Hypatia",
    "Al-Khwarizmi",
    "Ramanujan", "Frida Kahlo", "Pelé", "O'Neill", "J. S. Mill", "X", "U2", "e. e. cummings", "Dostoevsky",
    "Достоевский",
    "Hamlet", "Dune", "It", "1984", "Mars", "Ganges", "Everest", "Penicillin", "insulin", "aspirin", "femur",
    "the liver",
    "mitosis", "osmosis", "basalt", "Jupiter", "hydrogen", "helium", "oak", "salmon", "a rhombus", "prime", "the moon",
    "a solution", "solution phase", "an answer key", "step by step instructions",
    "the thought process of a chess player",
)  # fmt: skip


def _single_words() -> Iterator[Pair]:
    for number, (yes, no) in enumerate(_YES_NO, 1):
        for word in (yes, no):
            yield f"Question {number}, in one word: is it so?", word
            yield f"Question {number}, in one word with a full stop: is it so?", f"{word}."
    for country, capital in _CAPITALS.items():
        yield f"What is the capital of {country}?", capital
        yield f"Which city is the capital of {country}? Answer in a sentence.", f"It is {capital}."
    for word, translations in _WORDS.items():
        for translation in translations:
            yield f"Translate '{word}' into the language of the example.", translation
    for sign in _KANJI:
        yield "Write the character for this picture.", sign
    for number, name in enumerate(_NAMES, 1):
        yield f"Quiz item {number}: name it.", name


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


def _sentences() -> Iterator[Pair]:
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


def pairs() -> Iterator[Pair]:
    yield from _single_words()
    yield from _sentences()
