"""What a prompt asks for, as far as it decides whether a short or odd text can be an answer to it.

Every signal only exempts: a text that would be refused is shown to the judge and flagged instead. They are read off the
prompt, which the policy does not write.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from judge_server.core.submission import Submission
from judge_server.guard.discourse import words_of

_READ_CHARACTERS = 4_000
_FEWEST_WORDS = 2
_FEWEST_CHARACTERS = 10
_LONGEST_QUESTION = 200
# a sign, a character, a drawing
_SIGNS = (
    r"operator|\bsymbol|\bsigns? (?:for|that|in|is|do|does|separat|begin|mean|stand|end|has|of mult|of div)",
    r"\b\w+ sign\b|which sign|\bcharacters? (?:is|are|do|does|for|that|in|u\+)|\w+ character\b|which characters?",
    r"punctuation|\bbrackets?\b|\bbraces?\b|parenthes|question mark|quotation mark|check mark|which mark",
    r"apostrophe|\bcomma\b|\bcolon\b|\bhyphen\b|underscore|\b(?:back)?slash\b|asterisk|ampersand|backtick",
    r"\bmorse\b|\bemoji|emoticon|smiley|\bascii\b|\bdraw\b|\bsketch\b|\bdashes\b|\bregex|regular expression",
    r"notation|unicode|u\+[0-9a-f]{4}|\bglyph|^type\b|wildcard|\btildes?\b|braille|progress bar|shrug",
    r"checkerboard|full stop|thumbs|ideograph|chess piece|\bstars\b|\barrow\b|fill (?:in|the) |\bblank of\b",
    r"_{3,}|ellipsis|zeichen|klammer|leere (?:liste|menge)|\bsigne\b|ponctuation|opérateur|símbolo|\bsigno\b",
    r"operador|\bsimbolo|\bsegno\b|operatore|символ|знак|оператор|符号|运算符|记号|記号|标点|標点|演算子|기호",
    r"연산자|رمز|علامة|चिह्न|絵文字|表情|顔文字|이모지|dibuj|\bdessine|zeichne|\bdisegna|\bdesenh|нарису|画一",
    r"画出|描いて|그려",
)
# code: brackets and operators may be an answer, stops and blanks may not
_CODE = (
    r"\bcode\b|syntax|literal|\bpython|\bjava|c\+\+|c#|\bsql\b|\bbash\b|\bshell\b|\brust\b|\bruby\b|\bperl\b",
    r"haskell|\bjson\b|\byaml\b|\bhtml\b|\bcss\b|\bxml\b|latex|markdown|\barray|\blist\b|\bdict|\btuple",
    r"\bstring\b|\bset\b|printf|\btags?\b|\btoken\b|delimiter|separator|placeholder|\bfunction\b|[{}<>=\\|^~`@$]",
    r"\[\d*\]|\(\)",
)
# a word, a name or a title: a phrase that announces an answer elsewhere may be the answer here
_TERM = (
    r"\bcalled\b|what (?:do|does|would|is|are|was) .{0,50}\bcalls?\b|(?<!long[- ])(?<!short[- ])\bterm\b",
    r"\bword\b(?! problem)|\bnoun\b|\bverb\b|\bname (?:the|a|an|of|one)\b|\bname it\b|nickname|\btitled?\b",
    r"\btranslat|synonym|antonym|opposite|(?:word|term|phrase) mean|\bidiom|\bphrase\b|slogan|\bmotto",
    r"how (?:do|would) (?:you|i|we) say|\bspell\b|fill (?:in|the) |_{3,}",
    r"complete the (?:title|sentence|line|phrase|proverb|word|name)|\bheading\b|\bcaption\b|\bkeyword|\bheader\b",
    r"\blabel (?:of|for)\b|\byaml\b|in english\b|\bwhat (?:follows|comes)\b|which \w+ (?:means|comes|stands)",
    r"(?:which|what|name) .{0,30}\b(?:song|book|film|movie|novel|sitcom|play|album|part|branch|step|section)\b",
    r"\brepeat after|\bsay (?:it|this|['\"“])|rhymes? with|acronym|stands? for|formal letter|magic word",
    r"last line|first words|\bwhat do \w+ call\b|\bwort\b|heißt|nennt man|übersetz|begriff\b|\btitel\b|\bmot\b",
    r"appelle|\btradui|\btitre\b|dit[ -]on|palabra|se llama|\btraduc|se dice|palavra|se chama|\bparola\b",
    r"si chiama|слово|назыв|перевед|перевод|怎么说|翻译|叫什么|怎么称呼|什么意思|訳して|何と言|번역|뭐라고",
    r"무엇이라고|كلمة|ترجم|يسمى|शब्द|अनुवाद|कहते हैं",
)
_COPY = (
    r"\brepeat|\bcopy|\bquote|\bcorrect|\btranslat|\brewrite|paraphras|\bsay (?:it|this|['\"“])|\brecite",
    r"\bspell\b|wiederhol|übersetz|\brépét|\btradui|\brepit|\btraduc|повтор|перевед|复述|重复|翻译",
)
# texts that repeat themselves for a reason, with a number in the prompt or without
_REPETITION = (
    r"\brepeat|\bzero(?:e?s)?\b|\bones\b|matri[xc]|\bkernel\b|decimals?\b|\bpattern\b|\bdraw\b|\blyrics|chorus",
    r"\bascii\b|\bwall\b|\bruler\b|\w+mal\b|\bcien veces|\bcent fois|\bcem vezes|\bcento volte|\bсто раз|一百",
    r"100遍|wiederhol|\brépét|\brepit|повтор|重复|反复|繰り返",
)
_NUMBERED_REPETITION = (
    r"\btimes\b|\bcopies\b|\blist\b|\barray|\bdigits?\b|line of|row of|\bstrings?\b|\bsing\b|\btable\b|\bgrid\b",
    r"\bboard\b|\bmal\b|\bveces\b|\bfois\b|\bvezes\b|\bvolte\b|\bраз\b|遍|次|回|번|مرة|बार|\btail\b|\bprint\b",
    r"\bwrite\b|\btype\b",
)
_SPELT_NUMBER = r"\d|hundred|dozen|thousand|hundert|\bcien\b|\bcent\b|百|千"
_NUMBER = re.compile(r"\d+")


@lru_cache(maxsize=512)  # the responses to one prompt share it
def _asks(patterns: tuple[str, ...], text: str) -> bool:
    return _one_of(patterns).search(text) is not None


@cache
def _one_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


@dataclass(frozen=True, slots=True)
class UserRequest:
    """``known``: whether the prompt says enough to be read at all. ``text``: what was read of it, in small letters."""

    text: str = ""
    reference: str | None = None

    @classmethod
    def of(cls, submission: Submission) -> "UserRequest":
        """The last turn of the user, and the reference."""
        asked = [message.content for message in submission.conversation if message.role == "user"]
        text = asked[-1] if asked else submission.conversation[-1].content
        return cls(text[-_READ_CHARACTERS:].lower(), submission.reference)

    @property
    def known(self) -> bool:
        words = len(self.text.split())
        if not self.text.isascii():
            return len(self.text.strip()) >= _FEWEST_CHARACTERS // 2
        return len(self.text.strip()) >= _FEWEST_CHARACTERS and words >= _FEWEST_WORDS

    @property
    def for_signs(self) -> bool:
        """Whether a sign, a character or a drawing may be the answer."""
        return self.known and _asks(_SIGNS, self.text)

    @property
    def for_code(self) -> bool:
        """Whether brackets and operators may be the answer."""
        return not self.known or _asks(_CODE, self.text)

    @property
    def for_a_term(self) -> bool:
        """Whether a word, a name, a title or a quotation may be the answer."""
        return self.known and len(self.text) <= _LONGEST_QUESTION and _asks(_TERM, self.text)

    @property
    def for_a_salutation(self) -> bool:
        """Whether the answer may end in the colon of a letter's first line."""
        return "letter" in self.text and re.search(r"begin|start|open|salut|greet", self.text) is not None

    @property
    def for_a_copy(self) -> bool:
        """Whether the answer may be a part of the prompt."""
        return _asks(_COPY, self.text)

    def for_repetition(self, times: int) -> bool:
        """Whether something may be said ``times`` times."""
        numbers = {int(number[:6]) for number in _NUMBER.findall(self.text)}
        if numbers & {times - 1, times, times + 1} or _asks(_REPETITION, self.text):
            return True
        return _asks((_SPELT_NUMBER,), self.text) and _asks(_NUMBERED_REPETITION, self.text)

    def offers(self, answer: str) -> bool:
        """Whether the prompt gives the answer as one of several to choose from."""
        said = " ".join(words_of(answer))
        choice = re.search(r" or | oder | ou | o | или | або |还是|それとも|또는| أم | या ", self.text)
        return bool(said) and choice is not None and f" {said} " in f" {' '.join(words_of(self.text))} "
