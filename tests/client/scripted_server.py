"""A real HTTP server on the loopback whose answers a test scripts: a judge-server under stress, or a proxy."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.stub_judge import Reply
from tests.yardstick import PATIENCE_SECONDS


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes
    at: float

    @property
    def body(self) -> Any:
        return json.loads(self.content)


def judgment(reward: float | None = 0.5, **members: Any) -> dict[str, Any]:
    """As the server writes one, as far as the client asks."""
    error = None if reward is not None else {"type": "timeout", "detail": "too late"}
    status = "ok" if reward is not None else "failed"
    return {"id": "jdg_1", "reward": reward, "status": status, "coverage": 1.0, "error": error} | members


def problem(status: int, slug: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> Reply:
    document = {"type": f"urn:judge-server:error:{slug}", "title": "t", "status": status, "detail": "d"} | members
    return Reply(status, document, headers or {})


def judged(seen: Seen) -> Reply:
    """0.5 for everything."""
    if seen.path.endswith("/batch"):
        results = [judgment(submission={"id": item.get("id")}) for item in seen.body["items"]]
        return Reply(body={"results": results, "rewards": [0.5] * len(results)})
    return Reply(body=judgment())


class ScriptedServer:
    """``script``: the first answers, in order; then ``behave`` decides. ``most``: requests at the same time, so far."""

    def __init__(self, behave: Callable[[Seen], Reply] = judged) -> None:
        self.behave = behave
        self.script: list[Reply] = []
        self.seen: list[Seen] = []
        self.most = self.present = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE_SECONDS)

    def answer(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            scripted = self.script.pop(0) if self.script else None
            self.present += 1
            self.most = max(self.most, self.present)
        try:
            reply = self.behave(seen) if scripted is None else scripted
            time.sleep(reply.delay_seconds)
            return reply
        finally:
            with self._lock:
                self.present -= 1


def _handler(server: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = server.answer(Seen(self.command, self.path, headers, content, time.monotonic()))
            if reply.reset:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.data)))
            self.end_headers()
            try:
                _write(self, reply)
            except OSError:
                self.close_connection = True  # the client has gone

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Tests read ``seen``."""

    return Handler


def _write(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    if reply.drip_seconds is None:
        handler.wfile.write(reply.data)
        return
    for byte in reply.data:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(reply.drip_seconds)
