"""Patterns of English wording that the statement rules look for."""

import re

_VERBS = (
    "acknowledges|addresses|admits|advises|analyses|analyzes|answers|apologises|apologizes|argues|asks|avoids|begins|"
    "calculates|cites|clarifies|compares|concludes|confirms|connects|considers|contains|corrects|declines|defines|"
    "demonstrates|describes|discloses|discourages|discusses|distinguishes|documents|encourages|ends|ensures|evaluates|"
    "explains|expresses|follows|gives|identifies|ignores|includes|indicates|informs|instructs|interprets|invites|"
    "justifies|keeps|lists|maintains|makes|mentions|names|notes|offers|omits|points out|prescribes|presents|preserves|"
    "prioritises|prioritizes|proposes|provides|quotes|raises|recognises|recognizes|recommends|refers|refuses|rejects|"
    "repeats|reports|requests|respects|says|shows|specifies|states|stresses|suggests|summarises|summarizes|tells|"
    "treats|urges|uses|verifies|warns|writes"
)

COMPOUND = re.compile(
    rf"\b(?:and|but)\s+(?:then\s+|also\s+|clearly\s+|explicitly\s+)?(?:{_VERBS}|does not|is not|has no)\b"
    r"|\band also\b|\bas well as\s+(?:a|the|an)?\s*\w+ing\b|\bnot only\b|\band/or\b"
    r"|\b(?:advises|encourages|mentions|recommends|suggests)\s+\w+ing\b[^.;]*\band\s+\w+ing\b"
    rf"|;\s*(?:it\s+)?(?:also\s+)?(?:{_VERBS})\b",
    re.IGNORECASE,
)

VAGUE = re.compile(
    r"\b(?:adequate(?:ly)?|appropriate(?:ly)?|as needed|as necessary|and so on|and so forth|comprehensive(?:ly)?|"
    r"decent|"
    r"effective(?:ly)?|etc\b\.?|good|great|helpful(?:ly)?|high[- ]quality|if applicable|nice(?:ly)?|optimal(?:ly)?|"
    r"proper(?:ly)?|reasonable|reasonably|satisfactory|satisfactorily|sufficient(?:ly)?|suitable|suitably|"
    r"thorough(?:ly)?|user-friendly|very well|well[- ]written|well[- ]structured)"
    r"(?!\w)",
    re.IGNORECASE,
)

NEGATED = re.compile(
    r"\s*(?:(?:the|its?|this)\s+)?(?:(?:response|answer|text|note|essay|story|summary|assistant|model|author|it)\s+)?"
    r"(?:does not|do not|doesn't|did not|didn't|is not|isn't|never|no\b|cannot|can't|has no|makes no|gives no|"
    r"contains no|avoids|should avoid|should not|shouldn't|must not|mustn't|may not|refrains from|lacks|omits|neglects|"
    r"fails to|leaves out|without)\b",
    re.IGNORECASE,
)

# wording of a statement about a bad thing: as the good behaviour (the thing avoided) or as the bad one
AVOIDED = re.compile(
    r"\b(?:avoids?|should(?: not|n't)|must(?: not|n't)|may not|ought not|refrains?|steers clear|is careful not to|"
    r"takes care not to|abstains? from|never)\b",
    re.IGNORECASE,
)
DONE_WRONG = re.compile(
    r"\b(?:fails?|omits?|neglects?|ignores?|forgets?|overlooks?|lacks?|leaves out|misses|incorrect(?:ly)?|wrong(?:ly)?|"
    r"mistaken(?:ly)?|misstates?|misinterprets?|misrepresents?|confuses?|conflates?|invents?|fabricates?|contradicts?)\b",
    re.IGNORECASE,
)
NEGATION = re.compile(r"\b(?:not|no|without|cannot|\w+n['\u2019]t)\b", re.IGNORECASE)

ELSEWHERE = re.compile(
    r"\b(?:as (?:mentioned|stated|described|defined|noted|listed) (?:above|below|earlier|before|previously)"
    r"|the above|see (?:above|below)"
    r"|(?:the )?(?:previous|preceding|next|other|first|second|last) (?:criterion|criteria)"
    r"|criteri(?:on|a) (?:no\. ?)?\d+|this rubric|the rubric|same as (?:above|before)|listed below|described above)\b",
    re.IGNORECASE,
)

REFERENCE = re.compile(
    r"\b(?:the |a )?(?:reference(?: answer| text| summary| response| solution)?|gold(?:en)? (?:answer|standard|text)|"
    r"(?:expert|model|correct|ideal|clinician)(?:'s|’s)? (?:answer|response|summary|solution|note))\b"
    r"(?! (?:list|section|range|interval|value|number|letter)s?\b)",
    re.IGNORECASE,
)

INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U000e0000-\U000e007f]")

_WORD = re.compile(r"[\w'’-]+")


def words(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return _WORD.findall(text.casefold())
