"""Several worker processes behind one listening socket, under uvicorn's supervisor."""

import asyncio
import logging
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from judge_server.server.processes.place import WorkerPlace, share_of
from judge_server.server.serving import DrainingServer, port_is_free, prepared, server_of
from judge_server.server.telemetry.log_lines import log_to_standard_error
from judge_server.settings.settings import Settings
from judge_server.wiring.storage import open_store

_LOG = logging.getLogger(__name__)
_ANSWER_SECONDS = 0.1
_HEALTH_SECONDS = 60
"""A worker whose thread does not answer for so long is replaced. A busy machine is no hung worker."""


class Worker(Process):
    """One worker; the same number goes to the process that replaces it."""

    def __init__(
        self, config: uvicorn.Config, sockets: list[socket.socket], settings: Settings, place: WorkerPlace
    ) -> None:
        self.settings = settings
        self.place = place
        self._heard_at = time.monotonic()
        self._asked = False
        super().__init__(config, sockets)

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Runs in the new process."""
        self._server = server = server_of(prepared(share_of(self.settings, self.place.count)), self.place)
        super().target(sockets)
        if not server.started:
            sys.exit(STARTUP_FAILURE)

    def is_alive(self, timeout: float = 5) -> bool:
        """Whether the process lives and answered in the last ``timeout`` seconds. Waits a moment only: the supervisor
        has signals to hear, and a killed process does not answer."""
        if not self.process.is_alive():
            return False
        try:
            if not self._asked:
                self.parent_conn.send(b"ping")
                self._asked = True
            if self.parent_conn.poll(_ANSWER_SECONDS):
                self.parent_conn.recv()
                self._asked, self._heard_at = False, time.monotonic()
        except (OSError, EOFError):
            return False
        return time.monotonic() - self._heard_at < timeout

    @property
    def server(self) -> DrainingServer:
        assert isinstance(self._server, DrainingServer)  # noqa: S101 - target has just made it
        return self._server


class Workers(Multiprocess):
    """The supervisor: a worker that dies is replaced, one that cannot start ends all."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], settings: Settings, folder: Path) -> None:
        super().__init__(config, sockets)
        self._settings = settings
        self._folder = folder
        self.failed = False

    def _made(self, number: int) -> Worker:
        place = WorkerPlace(number, self.processes_num, self._folder)
        return Worker(self.config, self.sockets, self._settings, place)

    def init_processes(self) -> None:
        for number in range(self.processes_num):
            self.processes.append(self._made(number))
            self.processes[-1].start()

    def keep_subprocess_alive(self) -> None:
        for number, process in enumerate(self.processes):
            if self.should_exit.is_set() or process.is_alive(timeout=self.config.timeout_worker_healthcheck):
                continue
            process.kill()
            process.join()
            if process.exitcode == STARTUP_FAILURE:
                _LOG.error("worker %d could not start: the server ends", number)
                self.failed = True
                self.should_exit.set()
                return
            _LOG.error("worker %d ended with status %s and is replaced", number, process.exitcode)
            self.processes[number] = self._made(number)
            self.processes[number].start()

    def handle_hup(self) -> None:
        """Rubric files and keys are read again anyway."""
        _LOG.info("SIGHUP: rubric files and API keys are read again without a signal; other settings need a restart")

    def handle_ttin(self) -> None:
        _LOG.info("the number of workers is fixed while the server runs: restart it with --workers")

    handle_ttou = handle_ttin


def serve_by_workers(settings: Settings) -> bool:
    """Serve until a signal arrives. False if a worker could not start; the log has the reason."""
    log_to_standard_error(settings.log_level, settings.log_format)
    if not port_is_free(settings.host, settings.port):
        return False
    asyncio.run(_migrated(settings))
    config = uvicorn.Config(
        "judge_server.server.app:create_app",
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=None,
        log_level=settings.log_level,
        timeout_worker_healthcheck=_HEALTH_SECONDS,
    )
    listening = config.bind_socket()
    folder = Path(tempfile.mkdtemp(prefix="judge-server-"))  # for this user only
    workers = Workers(config, [listening], settings, folder)
    try:
        workers.run()
    finally:
        listening.close()
        shutil.rmtree(folder, ignore_errors=True)
    return not workers.failed


async def _migrated(settings: Settings) -> None:
    """Migrate the database once, before several processes open it."""
    store = await open_store(settings)
    await store.close()
