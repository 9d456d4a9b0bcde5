"""Words that annotators write instead of an answer, in many languages: they count as abstentions, never as a class,
unless a scale names them. Words that are a plain no in a questionnaire (``trifft nicht zu``) are not among them."""

import re
from collections.abc import Collection
from typing import Final

_BY_LANGUAGE: Final = {
    "signs": ("", "?", "-", "--", "\u2013", "\u2014", "n/a", "na", "n.a.", "n. a.", "n.a", "#n/a", "nan", "null"),
    "English": (
        "abstain", "abstained", "abstention", "unsure", "not sure", "don't know", "dont know", "do not know",
        "cannot say", "can't say", "skip", "skipped", "not applicable", "inapplicable", "ignore", "ignored",
        "no answer", "no response", "unanswered", "not answered", "not assessed", "not assessable", "not rated",
        "not available", "not determined", "unknown", "tbd", "to be determined", "todo", "to do", "pending",
        "blank", "empty", "missing value", "no data", "n/d", "n.d.", "n/r",
    ),
    "German": (
        "k.a.", "k. a.", "k.a", "k. a", "keine angabe", "keine antwort", "keine daten", "ohne angabe", "o.a.", "o. a.",
        "n.b.", "n. b.", "weiss nicht", "wei\u00df nicht", "weiss ich nicht", "wei\u00df ich nicht", "unklar",
        "unbekannt", "nicht beurteilbar", "nicht bewertbar", "nicht beurteilt", "nicht bewertet", "entf\u00e4llt",
        "entfaellt", "entf.", "nicht anwendbar", "nicht zutreffend", "leer",
    ),
    "French": (
        "sans objet", "s.o.", "s/o", "non applicable", "ne sait pas", "ne sais pas", "je ne sais pas", "nsp",
        "non renseign\u00e9", "non renseign\u00e9e", "sans r\u00e9ponse", "non \u00e9valu\u00e9", "non \u00e9valuable",
        "inconnu", "sans avis", "vide",
    ),
    "Spanish": (
        "no aplica", "no aplicable", "no procede", "sin objeto", "ns/nc", "no sabe", "no contesta", "sin respuesta",
        "sin dato", "sin datos", "no evaluable", "desconocido",
    ),
    "Portuguese": (
        "n\u00e3o se aplica", "nao se aplica", "n\u00e3o aplic\u00e1vel", "nao aplicavel", "n\u00e3o sei", "nao sei",
        "sem resposta", "n\u00e3o avaliado", "desconhecido",
    ),
    "Italian": ("non applicabile", "non so", "non valutabile", "non disponibile", "nessuna risposta", "sconosciuto"),
    "Dutch": ("n.v.t.", "nvt", "niet van toepassing", "weet niet", "geen antwoord", "onbekend"),
    "Nordic": (
        "ej till\u00e4mpligt", "ej aktuellt", "vet ej", "vet inte", "ikke relevant", "ikke aktuelt", "ved ikke",
        "vet ikke", "ei sovellu", "en tied\u00e4", "ei tietoa",
    ),
    "Slavic": (
        "nie dotyczy", "nie wiem", "brak danych", "brak odpowiedzi", "nev\u00edm", "neuvedeno", "net\u00fdk\u00e1 se",
        "\u043d/\u0434", "\u043d/\u043f", "\u043d\u0435 \u043f\u0440\u0438\u043c\u0435\u043d\u0438\u043c\u043e",
        "\u043d\u0435\u043f\u0440\u0438\u043c\u0435\u043d\u0438\u043c\u043e", "\u043d\u0435 \u0437\u043d\u0430\u044e",
        "\u043d\u0435\u0442 \u043e\u0442\u0432\u0435\u0442\u0430",
        "\u043d\u0435\u0442 \u0434\u0430\u043d\u043d\u044b\u0445",
        "\u043d\u0435\u0438\u0437\u0432\u0435\u0441\u0442\u043d\u043e",
    ),
    "others of Europe": (
        "uygulanamaz", "bilmiyorum", "nu se aplic\u0103", "nem alkalmazhat\u00f3", "nem tudom", "\u03b4/\u03c5",
    ),
    "Japanese": (
        "\u8a72\u5f53\u306a\u3057", "\u8a72\u5f53\u305b\u305a", "\u975e\u8a72\u5f53", "\u7121\u56de\u7b54",
        "\u672a\u56de\u7b54", "\u308f\u304b\u3089\u306a\u3044", "\u5206\u304b\u3089\u306a\u3044", "\u4e0d\u660e",
        "\u672a\u8a55\u4fa1", "\u8a55\u4fa1\u4e0d\u80fd", "\u5224\u5b9a\u4e0d\u80fd", "\u5bfe\u8c61\u5916",
    ),
    "Chinese": (
        "\u4e0d\u9002\u7528", "\u4e0d\u9069\u7528", "\u4e0d\u77e5\u9053", "\u65e0\u6cd5\u5224\u65ad",
        "\u7121\u6cd5\u5224\u65b7", "\u4e0d\u8be6", "\u672a\u77e5", "\u7f3a\u5931", "\u672a\u56de\u7b54",
    ),
    "Korean": ("\ud574\ub2f9 \uc5c6\uc74c", "\ud574\ub2f9\uc5c6\uc74c", "\ubaa8\ub984", "\ubb34\uc751\ub2f5"),
    "Arabic and Hebrew": (
        "\u0644\u0627 \u064a\u0646\u0637\u0628\u0642", "\u063a\u064a\u0631 \u0645\u062a\u0627\u062d",
        "\u0644\u0627 \u0623\u0639\u0631\u0641", "\u05dc\u05d0 \u05e8\u05dc\u05d5\u05d5\u05e0\u05d8\u05d9",
    ),
}  # fmt: skip
ABSTENTIONS: Final = frozenset(word for words in _BY_LANGUAGE.values() for word in words)
_NEGATIONS: Final = (
    "nicht ", "not ", "non ", "no ", "niet ", "ej ", "ikke ", "nie ", "n\u00e3o ", "\u043d\u0435 ",
    "in", "un", "non", "\u975e", "\u4e0d",
)  # fmt: skip
_ENCLOSED: Final = re.compile(r"[(\[<{](.*)[)\]>}]")


def abstains(word: str) -> bool:
    folded = word.casefold()
    return folded in ABSTENTIONS or _inner(folded) in ABSTENTIONS or (len(folded) > 1 and set(folded) == {"?"})


def plain_noes(words: Collection[str]) -> frozenset[str]:
    """Words for no answer that are the plain no to another word that is used: ``nicht zutreffend`` beside
    ``zutreffend``."""
    folded = {word.casefold() for word in words}
    return frozenset(word for word in words if abstains(word) and _without_no(word.casefold()) & folded)


def _without_no(word: str) -> set[str]:
    positive = {word.removeprefix(no) for no in _NEGATIONS if word.startswith(no)}
    return (positive | {word.replace("\u306a\u3057", "\u3042\u308a")}) - {word}


def _inner(word: str) -> str | None:
    """What stands in brackets: ``(leer)``, ``<NA>``; None without anything in them."""
    found = _ENCLOSED.fullmatch(word)
    return found[1].strip() or None if found else None
