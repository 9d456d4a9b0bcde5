"""A web server on the loopback that can break off, resume, refuse."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.yardstick import PATIENCE_SECONDS


@dataclass
class Site:
    """``break_at``: the first answer stops after so many bytes. ``asked``: the Range of every request."""

    content: bytes
    etag: str = '"one"'
    break_at: int | None = None
    ranges: bool = True
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/labels.csv":
                self.send_error(404)
                return
            wanted = self.headers.get("range")
            site.asked.append(wanted)
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and site.ranges else 0
            if self.headers.get("if-range", site.etag) != site.etag:
                start = 0
            if start and start >= len(site.content):
                self.send_error(416)
                return
            body = site.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("content-length", str(len(body)))
            self.send_header("etag", site.etag)
            self.end_headers()
            cut, site.break_at = site.break_at, None
            self.wfile.write(body if cut is None else body[:cut])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}/labels.csv"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_SECONDS)
