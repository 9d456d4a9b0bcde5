"""A real forwarding proxy on the loopback: absolute addresses and CONNECT, with a password if it has one.

Whatever host a request names, it is forwarded to ``target`` on this machine; ``asked`` holds what was named.
"""

import base64
import select
import socket
import socketserver
import threading
from typing import Any, Self


class ForwardingProxy:
    def __init__(self, target: int, credentials: str | None = None) -> None:
        proxy, self.target, self.asked = self, target, list[str]()
        self.wanted = credentials and f"Basic {base64.b64encode(credentials.encode()).decode()}"

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                proxy.serve(self.rfile, self.connection)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, requests: Any, client: socket.socket) -> None:
        """One request a connection; the body is forwarded as it comes."""
        first = requests.readline().decode("latin-1")
        head = []
        while (line := requests.readline()) not in (b"\r\n", b""):
            head.append(line.decode("latin-1"))
        named = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
        if self.wanted and named.get("proxy-authorization") != self.wanted:
            client.sendall(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return
        method, address, version = first.split()
        self.asked.append(f"{method} {address}")
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = "/" + address.partition("://")[2].partition("/")[2]
                kept = [line for line in head if not line.lower().startswith(("proxy-", "connection:"))]
                server.sendall(
                    f"{method} {path} {version}\r\n{''.join(kept)}Connection: close\r\n\r\n".encode("latin-1")
                )
                server.sendall(requests.read(int(named.get("content-length", 0))))
            self._relay(client, server)

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        while True:
            ready, _, _ = select.select([client, server], [], [], 30)
            for one in ready:
                data = one.recv(65_536)
                if not data:
                    return
                (server if one is client else client).sendall(data)
