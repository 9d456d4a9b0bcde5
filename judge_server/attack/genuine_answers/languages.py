"""Yes, no, names and single words in many languages and scripts."""

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


def pairs() -> Iterator[Pair]:
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
