"""Serve the application in one process, and drain it on SIGTERM and SIGINT."""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import uvicorn
from fastapi import FastAPI

from judge_server.server.announcement import announce
from judge_server.server.app import create_app
from judge_server.server.http_protocol import BoundedHttp, SmallReads
from judge_server.server.lock_turns import SHORT_SECONDS, adjust_turns
from judge_server.server.processes.place import WorkerPlace
from judge_server.server.processes.shared import SharedWithWorkers
from judge_server.server.telemetry.log_lines import log_to_standard_error
from judge_server.settings.settings import Settings
from judge_server.util.memory import keep_large_blocks, settle
from judge_server.wiring.service import Service

_LOG = logging.getLogger(__name__)

# longer than the pools of HTTP clients keep an idle connection, so that none is closed under a request
_KEEP_ALIVE_SECONDS = 75
_MOST_FILES = 65_536
_OWN_FILES = 64  # database, log, rubric files, processes
_MOST_CALLS = 256  # of judges at a time; further ones wait for a free file
_AT_ONCE_SECONDS = 0.75  # after a second signal
_LAST_STEPS_SECONDS = 1.0  # of a thread on a busy machine
_DID_NOT_START = 2  # status of a command that was given what cannot work
_CLOSE_SECONDS = 1  # to send the last responses; event streams are cut after it


class DrainingServer(uvicorn.Server):
    """Drains the application while it still listens, so that new requests get 503 with Retry-After."""

    def __init__(
        self, app: FastAPI, config: uvicorn.Config, drain_seconds: float, opening: Callable[[str], object] | None = None
    ) -> None:
        """``opening``: called with the address of the pages once the server listens."""
        super().__init__(config)
        self._opening = opening
        self._app = app
        self._drain_seconds = drain_seconds
        self._turns: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal stops the server at once, whatever hangs."""
        self._app.state.stopping = True
        self.force_exit = self.should_exit
        if self.force_exit:
            ending = threading.Timer(_AT_ONCE_SECONDS, os._exit, (1,))
            ending.daemon = True
            ending.start()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        settle()
        if self.started:
            state = self._app.state
            work = adjust_turns(lambda: state.service.scorer.admission.under_way, lambda: state.shares.contended)
            self._turns = asyncio.create_task(work, name="lock-turns")
        if self._opening is not None and self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            address = page_address(host, port, self._app.state.root_path)
            threading.Thread(target=self._opening, args=(address,), daemon=True).start()  # a browser may take long

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await drain(self._app, self._drain_seconds, lambda: self.force_exit)
        if self._turns is not None:
            self._turns.cancel()
        await super().shutdown(sockets)


def page_address(host: str, port: int, root_path: str) -> str:
    """Where a browser on this machine finds the pages of a server that listens on ``host``."""
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - a name
    return f"http://{here}:{port}{root_path}/"


def serve_until_stopped(settings: Settings, *, open_pages: bool = False) -> bool:
    """Serve until a signal arrives. False if the service could not start; the log has the reason. ``open_pages``: in a
    browser of this machine, once the server listens."""
    log_to_standard_error(settings.log_level, settings.log_format)
    if not port_is_free(settings.host, settings.port):
        return False
    server = server_of(prepared(settings), opening=webbrowser.open if open_pages else None)
    with suppress(SystemExit):  # uvicorn exits with a status of its own if it cannot start
        server.run()
    _leave_waiting_threads(server.started)
    return server.started


def prepared(settings: Settings) -> Settings:
    """Set up this process for serving."""
    log_to_standard_error(settings.log_level, settings.log_format)
    sys.setswitchinterval(SHORT_SECONDS)
    keep_large_blocks()
    announce(settings)
    limit_connections(_MOST_CALLS)
    # uvicorn raises the signal again after it has stopped; a drained server should exit with status 0
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGHUP, _note_hangup)
    return settings


def server_of(
    settings: Settings, place: WorkerPlace | None = None, opening: Callable[[str], object] | None = None
) -> DrainingServer:
    """A server, or that of one worker."""
    app = create_app(settings, None if place is None else SharedWithWorkers(place))
    return DrainingServer(
        app,
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http=SmallReads,  # type: ignore[arg-type]  # any factory of protocols will do
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            log_level=settings.log_level,
            timeout_graceful_shutdown=_CLOSE_SECONDS,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
        ),
        settings.drain_seconds,
        opening,
    )


def _leave_waiting_threads(started: bool) -> None:
    """End now if a thread of the store still waits for the database. The interpreter would wait for it at its end, and
    the transaction is rolled back anyway. A thread that has just been let go gets the time for its last steps."""
    give_up = time.monotonic() + _LAST_STEPS_SECONDS
    of_the_store = [thread for thread in threading.enumerate() if thread.name.startswith("store-")]
    for thread in of_the_store:
        thread.join(max(0.0, give_up - time.monotonic()))
    if any(thread.is_alive() for thread in of_the_store):
        _LOG.warning("the database did not answer: the server ends without waiting for it")
        logging.shutdown()
        os._exit(0 if started else _DID_NOT_START)


def port_is_free(host: str, port: int) -> bool:
    """Whether the server can listen there; if not, the log says why. Asked before an engine loads its weights, which
    takes minutes."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as fault:
        why = (fault.strerror or str(fault)).lower()
        _LOG.error("cannot listen on %s port %d: %s; choose another with --port", host, port, why)
        return False
    return True


def limit_connections(judges: int) -> int:
    """Raise the limit of open files to the hard limit, and bound the connections by it; returns that bound. A part is
    kept for the database, files and ``judges``, the most calls of judges at a time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    files = wanted if soft == resource.RLIM_INFINITY else soft
    BoundedHttp.most_connections = most = max(files - min(_OWN_FILES + judges, files // 2), 16)
    _LOG.info("open files: at most %d; connections: at most %d", files, most)
    return most


def _note_hangup(_number: int, _frame: FrameType | None) -> None:
    """A terminal that closes, or an operator who expects a reload, must not end the server."""
    _LOG.info("SIGHUP: rubric files and API keys are read again without a signal; other settings need a restart")


_LOOK_AGAIN_SECONDS = 0.05


async def drain(app: FastAPI, seconds: float, hurried: Callable[[], bool]) -> None:
    """Answer 503 to new work, stop jobs and audits (the store keeps them), and wait for the requests under way until
    ``seconds`` have passed or ``hurried`` is true. Then cancel the rest; their callers get 503 with Retry-After."""
    service: Service = app.state.service
    service.scorer.admission.draining = True
    give_up_at = time.monotonic() + seconds
    suspending = asyncio.gather(*(one.close() for one in app.state.unhurried))

    def over() -> bool:
        return (suspending.done() and _finished(service)) or time.monotonic() >= give_up_at or hurried()

    while not over():  # noqa: ASYNC110 - a signal sets no event
        await asyncio.sleep(min(_LOOK_AGAIN_SECONDS, max(give_up_at - time.monotonic(), 0.0)))
    await service.groups.close()
    await app.state.working.end()


def _finished(service: Service) -> bool:
    return not service.scorer.admission.under_way and not service.groups.collection.waiting
