"""Running the application: one process, drained on SIGTERM and SIGINT."""

import signal
from contextlib import suppress

import uvicorn

from judge_server.server.app import create_app
from judge_server.server.bounded_head import BoundedHead
from judge_server.server.log_lines import log_to_standard_error
from judge_server.settings import Settings

# longer than the pools of HTTP clients keep an idle connection, so that none is closed under a request
_KEEP_ALIVE_SECONDS = 75


def serve_until_stopped(settings: Settings) -> bool:
    """Serve until a signal ends it; False where the service could not start, which the log explains."""
    log_to_standard_error(settings.log_level, settings.log_format)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http=BoundedHead,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            log_level=settings.log_level,
            timeout_graceful_shutdown=max(int(settings.drain_seconds), 1),
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            server_header=False,
        )
    )
    # uvicorn raises the signal that ended it once more; having drained is a good end, not death by a signal
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    with suppress(SystemExit):  # which is how uvicorn ends when it cannot start, with a status of its own
        server.run()
    return server.started
