"""What a model server's words say about a refusal: the prompt is too long, its content is not wanted, it is busy.

Servers have no common codes, so their words decide. A prompt that does not fit is named by what was sent and by how it
compares with a limit, near each other in whatever words, or by two numbers that are compared.
tests/models/test_openai_fault.py has the wordings of 36 servers and providers, and others.
"""

import re

_INPUT = (
    r"(?:context|prompts?|prompt_len\w*|inputs?|messages?|conversation|sequence|query|request|n_ctx|n_positions|"
    r"max_seq\w*|session_len|model(?:'s)? (?:max\w* )?(?:length|limit|window|context)|kv[ _-]cache|text|string)"
)
_EXCESS = (
    r"(?:exceed\w*|overflow\w*|too (?:long|lengthy|large|many|much|big)|oversized|less than|"
    r"(?:long|larg|great|bigg|small|few)er than|"
    r"(?:but|while) (?:the )?(?:limit|maximum)|more than|at most|shorten|reduce|supports? (?:up to|at most)|is full|"
    r"above|beyond|over the|(?:n['o]t|cannot) fit\b|not enough|> ?\d)"
)
_OVERFLOW = re.compile(
    rf"\b{_INPUT}\b[^;]{{0,70}}?{_EXCESS}|{_EXCESS}[^;]{{0,70}}?\b{_INPUT}\b|"
    r"context[ _-]?(?:length|window|size|limit|too)|context_overflow|exceed_context|max[ _]?model[ _]?len|max_seq_len|"
    r"max(?:imum)? context|maximum (?:context|model|prompt|input|sequence|allowed)[ \w]{0,20} (?:length|size|tokens)|"
    r"\btokens?\b[^.;]{0,60}exceed|exceed[^.;]{0,60}\btokens?\b|too many (?:input |prompt )?tokens|"
    r"range of input length|max(?:imum)?[ _]input[ _](?:length|tokens|characters)|max_new_tokens\W{1,2}must be|"
    r"max_(?:completion_)?tokens\b[^.;]{0,40}\bgot -|model token limit|prompt[^.]{0,20}超|上下文|输入[^.。]{0,6}[超过]|"
    r"max_prompt_tokens|input_too_long|string_above_max_length|prompt_too_long|(?:token|文本|输入|长度)[^.。]{0,9}(?:超|过长)|"
    r"kontextl|kontextf|longueur de contexte|fenêtre de contexte|longitud del? contexto|ventana de contexto|"
    r"コンテキスト長|컨텍스트 길이",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"(?<![a-z])(?:n_)?(?:tokens?|prompt|inputs?|context[eo]?|kontext|length|sequence|conversation|text)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.-])\d{3,9}(?![\w-])")
_OTHER_LIMIT = re.compile(
    r"completion tokens|output tokens|budget|quota|monthly|credit|"
    r"\bmax_(?:completion_|output_)?tokens\b(?![^.;]{0,40}got -).{0,20}(?:too large|at most|exceed|must|<|less)|"
    r"\b(?:images?|audio|files?|tools?|functions?|schemas?|logprobs|stop|metadata|user|batch|seed|n|attachments?|"
    r"(?<!input )ids?|names?|keys?|roles?|headers?|choices|media|versions?)\b"
    r"[^.;]{0,40}(?:exceed|too (?:long|large|many)|at most|limit|longer than|less than|more than|above|[<>])|"
    r"\b\d+ (?:\w+ )?(?:with )?(?:choices|images|files|tools|stop|items)\b",
    re.IGNORECASE,
)
_NAMED_CONTEXT = re.compile(
    r"context|prompt\b|input[ _]?(?:length|tokens|too)|message tokens|tokens? in the (?:messages|prompt)", re.IGNORECASE
)
_RATE = re.compile(
    r"per[ _-](?:min|hour|day|second)|\bTP[MD]\b|\bRP[MD]\b|(?<!gene)(?<!sepa)rate[ _-]?limit", re.IGNORECASE
)
_UNWANTED = (
    r"(?:inappropriate|disallowed|unsafe|harmful|objectionable|prohibited|high[ -]risk|(?<!case )(?<!case-)sensitive|"
    r"offensive|hateful|toxic\w*|nsfw|违规|敏感|不安全)"
)
_WORD_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])|_")
_SENT = r"(?:content|prompt|inputs?|messages?|request|output|text|data|内容|输入)"
_FILTER = re.compile(
    rf"\b{_SENT}\b[^.;]{{0,60}}\b{_UNWANTED}|\b{_UNWANTED}\b[^.;]{{0,40}}\b{_SENT}\b|内容[^.。]{{0,9}}(?:违规|敏感|不安全)|"
    r"content[ _-]?(?:filter|policy|management|moderation|safety|review)|responsible[ _]?ai|data_inspection|moderation|"
    r"safety (?:system|filter|setting|check|layer|reasons?)|(?:usage|terms)[^.;]{0,9} (?:polic|guideline)|policy check|"
    r"violates our terms|content audit|prompt injection|text risk|illegal (?:words?|content|text)|text illegal|"
    r"\b(?:content|prompt|text|words?)\b[^.;]{0,30}\billegal\b(?! (?:char|arg|val|tok|par|byte|esc))|"
    r"\b(?:prompt|content|input|output|response)s? (?:is |was |were )?blocked|фильтр|заблокирован|"
    r"because of its content|PROHIBITED_CONTENT|contentFilter|risk_control|Content Exists Risk|"
    r"flagged (?:as|by|for)|guardrail|SensitiveContent|violat\w+[^.;]{0,30}polic|敏感|"
    r"(?:block|blocked|rejected|refused)\b[^.;]{0,30}(?:safety|content|our|armor|shield|polic|moderat|AIRS)",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"insufficient[ _]?(?:quota|balance|funds?|credits?)|billing|exceed\w*[ _](?:your[ _])?current[ _]quota|"
    r"balance (?:is )?(?:too low|insufficient|exhausted|not enough)|out of credits?|余额|欠费|充值|overdue",
    re.IGNORECASE,
)
_LOADED = re.compile(
    r"(?<!gene)(?<!sepa)rate.?limit|too many requests|throttl|overloaded|capacity exceeded|"
    r"(?:is|still|currently) (?:being )?loading|"
    r"(?:server|service|model) (?:is )?(?:too )?busy|(?:try|retry)(?: again| the request)?(?: later| in \d)|限流",
    re.IGNORECASE,
)
_STATUSES = (
    (
        re.compile(
            r"(?<!gene)(?<!sepa)rate.?limit|too many requests|resource_exhausted|throttl|"
            r"(?:requests?|daily|concurren\w*)[ \w]{0,12}limit"
            r"|limit ?(?:reached|exceeded)|high traffic|flow control|quota|并发|频率|限流",
            re.IGNORECASE,
        ),
        429,
    ),
    (re.compile(r"overload|unavailable|capacity|timeout|timed out", re.IGNORECASE), 503),
    (re.compile(r"auth|api.?key|permission", re.IGNORECASE), 401),
    (
        re.compile(
            r"invalid|bad.?request|unsupported|not.?supported|context|content|too (?:long|large)", re.IGNORECASE
        ),
        400,
    ),
)


def is_about_rate(said: str) -> bool:
    """Whether it limits what is sent in a time, whatever the size of one prompt."""
    return _RATE.search(said) is not None


def is_busy(said: str) -> bool:
    """Whether it would answer the same request at another time, said with a status that does not tell."""
    return _LOADED.search(said) is not None


def is_about_money(said: str) -> bool:
    """Whether the account has to be filled first."""
    return _MONEY.search(said) is not None


def is_filtered(said: str) -> bool:
    """Whether it does not want the content; its names are read as words (``TextRiskDetection``, ``new_sensitive``)."""
    return _FILTER.search(said) is not None or _FILTER.search(_WORD_BORDER.sub(" ", said)) is not None


def is_overflow(said: str) -> bool:
    """Whether it says that what was sent is too long, and not that another field is."""
    if not _OVERFLOW.search(said) and not _compares_lengths(said):
        return False
    return _OTHER_LIMIT.search(said) is None or _NAMED_CONTEXT.search(said) is not None


def status_of_words(said: str) -> int:
    """The HTTP status that corresponds to an error without one."""
    if not is_about_rate(said) and (is_filtered(said) or is_overflow(said)):
        return 400
    return next((status for pattern, status in _STATUSES if pattern.search(said)), 502)


def _compares_lengths(said: str) -> bool:
    return _COMPARED.search(said) is not None and len(set(_NUMBER.findall(said))) > 1
