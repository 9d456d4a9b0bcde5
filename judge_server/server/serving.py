"""Running the application: one process, drained on SIGTERM and SIGINT."""

import signal
import socket
from contextlib import suppress
from types import FrameType

import uvicorn
from fastapi import FastAPI

from judge_server.server.app import create_app
from judge_server.server.draining import drain
from judge_server.server.middleware.bounded_head import BoundedHead
from judge_server.server.telemetry.log_lines import log_to_standard_error
from judge_server.settings.settings import Settings

# longer than the pools of HTTP clients keep an idle connection, so that none is closed under a request
_KEEP_ALIVE_SECONDS = 75
_FAREWELL_SECONDS = 2  # for the last answers to be sent, and for streams, which would go on


class DrainingServer(uvicorn.Server):
    """Drains the application while it still listens, so that whoever comes is told to come again."""

    def __init__(self, app: FastAPI, config: uvicorn.Config, drain_seconds: float) -> None:
        super().__init__(config)
        self._app = app
        self._drain_seconds = drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The second signal, whichever, waits for nothing."""
        self.force_exit = self.should_exit
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await drain(self._app, self._drain_seconds, lambda: self.force_exit)
        await super().shutdown(sockets)


def serve_until_stopped(settings: Settings) -> bool:
    """Serve until a signal ends it; False where the service could not start, which the log explains."""
    log_to_standard_error(settings.log_level, settings.log_format)
    app = create_app(settings)
    server = DrainingServer(
        app,
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http=BoundedHead,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            log_level=settings.log_level,
            timeout_graceful_shutdown=_FAREWELL_SECONDS,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            server_header=False,
        ),
        settings.drain_seconds,
    )
    # uvicorn raises the signal that ended it once more; having drained is a good end, not death by a signal
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    with suppress(SystemExit):  # which is how uvicorn ends when it cannot start, with a status of its own
        server.run()
    return server.started
