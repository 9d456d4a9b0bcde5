"""An OpenAI-compatible judge that answers at once, so that a measurement shows everything but the model.

    python -m benchmarks.stub_judge --port 8099 [--p-met 0.9] [--delay-seconds 0] [--lists]

prints its address as soon as it listens. One-token questions are answered Yes with the given probability, structured
ones with the first text that the schema allows. With --lists it also tokenizes, a token a word, and takes lists of
prompts. One process answers some 20,000 requests a second.
"""

import argparse
import asyncio
import json
import math
import zlib
from typing import Any

import uvloop

from judge_server.util.memory import keep_large_blocks


def instance_of(schema: dict[str, Any]) -> Any:
    """The first value that a JSON Schema of the plain kind (const, enum, object, array, scalars) allows."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: instance_of(properties[name]) for name in schema.get("required", properties)}
        case "array":
            return [instance_of(schema["items"]) for _ in range(schema.get("minItems", 1))]
        case "string":
            return "because".ljust(schema.get("minLength", 1), ".")[: schema.get("maxLength", 10_000)]
        case "boolean":
            return True
        case "integer" | "number":
            return schema.get("minimum", 0)
    return None


def answer(content: str, probabilities: dict[str, float] | None = None, **usage: int) -> dict[str, Any]:
    """A chat completion; ``probabilities`` of the first token where they are to be told."""
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": content},
        "finish_reason": "stop",
    }
    if probabilities is not None:
        top = [
            {"token": token, "logprob": math.log(max(share, 1e-9)), "bytes": list(token.encode())}
            for token, share in sorted(probabilities.items(), key=lambda item: -item[1])
        ]
        choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    counts = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11} | usage
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "stub",
        "choices": [choice],
        "usage": counts,
    }


class InstantJudge(asyncio.Protocol):
    """HTTP/1.1 with keep-alive and pipelining, as little of it as a client of ours needs."""

    def __init__(self, p_met: float, delay_seconds: float, lists: bool = False) -> None:
        self._label = _response(json.dumps(answer("Yes", {"Yes": p_met, "No": 1 - p_met})).encode())
        listing = {"object": "list", "data": [{"id": "stub", "object": "model", "max_model_len": 32_768}]}
        self._listing = _response(json.dumps(listing).encode())
        self._delay_seconds = delay_seconds
        self._p_met = p_met
        self._decided: dict[tuple[int, bool], bytes] = {}
        self._lists = lists
        self._listed: dict[int, bytes] = {}
        self._buffer = bytearray()
        self._whole = 0  # bytes of the request that begins the buffer, once its head is there

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= self._whole and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            self._whole = end + 4 + _content_length(bytes(self._buffer[:end]))
            if len(self._buffer) < self._whole:
                return
            with memoryview(self._buffer) as buffer:
                request = bytes(buffer[: self._whole])
            del self._buffer[: self._whole]
            self._whole = 0
            self._answer(request, end + 4)

    def _answer(self, request: bytes, body_at: int) -> None:
        if request.startswith(b"GET"):
            response = self._listing
        elif request.startswith(b"POST /v1/systemone "):
            response = self._decisions(request[body_at:].count(b'"type":"noul"'), b'"type":"score"' in request)
        elif request.startswith(b"POST /tokenize "):
            tokens = _tokens(json.loads(request[body_at:])) if self._lists else []
            response = _response(json.dumps({"tokens": tokens}).encode())
        elif request.startswith(b"POST /v1/completions "):
            response = self._list(request.count(b"],[", body_at) + 1)
        elif b'"response_format"' in request:
            wanted = json.loads(request[body_at:])["response_format"]
            text = json.dumps(instance_of(wanted["json_schema"]["schema"]), separators=(",", ":"))
            response = _response(json.dumps(answer(text)).encode())
        else:
            response = self._label
        if self._delay_seconds:
            asyncio.get_running_loop().call_later(self._delay_seconds, self._transport.write, response)
        else:
            self._transport.write(response)

    def _list(self, prompts: int) -> bytes:
        if prompts not in self._listed:
            shares = {"Yes": self._p_met, "No": 1 - self._p_met}
            logprobs = {text: math.log(max(share, 1e-9)) for text, share in shares.items()}
            one = {"tokens": ["Yes"], "token_logprobs": [logprobs["Yes"]], "top_logprobs": [logprobs]}
            choices = [
                {"index": place, "text": "Yes", "logprobs": one, "finish_reason": "length"} for place in range(prompts)
            ]
            usage = {"prompt_tokens": 10 * prompts, "completion_tokens": prompts, "total_tokens": 11 * prompts}
            body = {"object": "text_completion", "model": "stub", "choices": choices, "usage": usage}
            self._listed[prompts] = _response(json.dumps(body).encode())
        return self._listed[prompts]

    def _decisions(self, predicates: int, probe: bool) -> bytes:
        """The answer to so many yes-or-no questions; ``probe``: one about two levels follows them."""
        key = (predicates, probe)
        if key not in self._decided:
            self._decided[key] = _response(json.dumps(_decision(self._p_met, *key)).encode())
        return self._decided[key]


def _tokens(asked: dict[str, Any]) -> list[int]:
    """One for each word; a chat template of three tokens."""
    texts = [message["content"] for message in asked["messages"]] if "messages" in asked else [asked["prompt"]]
    words = [[zlib.crc32(word.encode()) % 50_000 + 10 for word in text.split()] for text in texts]
    if "messages" not in asked:
        return words[0]
    return [1, *(token for place, some in enumerate(words) for token in (*some, 2 + place))]


def _decision(p_met: float, predicates: int, probe: bool) -> dict[str, Any]:
    yes = {"type": "noul", "noul": p_met, "probabilities": {"yes": p_met, "no": 1 - p_met}, "confidence": p_met}
    answers: dict[str, Any] = {f"q{place}": yes for place in range(predicates)}
    if probe:
        answers[f"q{predicates}"] = {"type": "score", "score": 0.5, "probabilities": {"0": 0.5, "1": 0.5}}
    diagnostics = {name: {"label_mass": 0.99, "argmax_is_label": True} for name in answers}
    usage = {"input_tokens": 10, "output_tokens": predicates}
    return {"model": "stub", "answers": answers, "usage": usage, "diagnostics": diagnostics}


def _content_length(head: bytes) -> int:
    head = head.lower()
    at = head.find(b"\r\ncontent-length:")
    return int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def serve(port: int, p_met: float, delay_seconds: float, lists: bool = False) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: InstantJudge(p_met, delay_seconds, lists), "127.0.0.1", port)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="An OpenAI-compatible judge that answers at once.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--p-met", type=float, default=0.9)
    parser.add_argument("--delay-seconds", type=float, default=0.0)
    parser.add_argument("--lists", action="store_true", help="take lists of prompts, and tokenize")
    arguments = parser.parse_args()
    keep_large_blocks()
    uvloop.run(serve(arguments.port, arguments.p_met, arguments.delay_seconds, arguments.lists))


if __name__ == "__main__":
    main()
