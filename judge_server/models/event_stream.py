"""Some servers stream whatever is asked: server-sent events of pieces, put together to the one answer that they make.

Source: the chunks of OpenAI's chat completions (``choices[0].delta``, a last chunk with ``usage``, ``[DONE]``). One
that ends without ``[DONE]`` and without a reason was cut off.
"""

from codecs import BOM_UTF8
from typing import Any

import orjson

from judge_server.util.parsing import read_json

_FIELD = b"data:"
_BEGINNINGS = (_FIELD, b"event:", b":", b"id:", b"retry:")
_END = b"[DONE]"
_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


def joined(raw: bytes) -> bytes:
    """The JSON of the answer as if it had not been streamed; ``raw`` itself if it is no stream of events, such as JSON
    after the white space by which a proxy keeps a connection busy."""
    if not raw.removeprefix(BOM_UTF8).lstrip().startswith(_BEGINNINGS):
        return raw
    answer = _assembled(raw)
    return raw if answer is None else orjson.dumps(answer)


def _assembled(raw: bytes) -> dict[str, Any] | None:
    """None if an event is no JSON object."""
    answer: dict[str, Any] = {}
    choices: dict[Any, dict[str, Any]] = {}
    ended = False
    for line in raw.removeprefix(BOM_UTF8).splitlines():
        content = line.removeprefix(_FIELD).strip() if line.startswith(_FIELD) else b""
        ended = ended or content == _END
        if not content or content == _END:
            continue
        try:
            chunk = read_json(content)
        except ValueError:
            return None
        if not isinstance(chunk, dict):
            return None
        answer |= {name: value for name, value in chunk.items() if name != "choices" and value is not None}
        for piece in chunk.get("choices") or ():
            if isinstance(piece, dict):
                _add(choices.setdefault(str(piece.get("index", 0)), {"message": {}}), piece)
    for choice in choices.values():
        if not ended:
            choice.setdefault("finish_reason", "incomplete")
    return answer | {"choices": [choice for choice in choices.values() if choice["message"]]}


def _add(choice: dict[str, Any], piece: dict[str, Any]) -> None:
    message = choice["message"]
    delta = piece.get("delta") or piece.get("message")
    for name in _TEXTS:
        text = delta.get(name) if isinstance(delta, dict) else None
        if isinstance(text, str):
            message[name] = message.get(name, "") + text
    if piece.get("finish_reason") is not None:
        choice["finish_reason"] = piece["finish_reason"]
    logprobs = piece.get("logprobs")
    listed = logprobs.get("content") if isinstance(logprobs, dict) else None
    if isinstance(listed, list):
        choice.setdefault("logprobs", {"content": []})["content"].extend(listed)
