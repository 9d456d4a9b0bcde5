"""``judge-server serve``: the HTTP service."""

from typing import Annotated

import typer
import uvicorn

from judge_server.cli import options
from judge_server.cli.running import fail
from judge_server.core.errors import JudgeServerError
from judge_server.server.app import create_app
from judge_server.settings import DEFAULT_DATABASE, Settings


def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on (default 127.0.0.1).")] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65_535, help="Port to listen on (default 8000); 0 takes a free one."),
    ] = None,
    model: options.Model = None,
    mode: options.Mode = None,
    votes: options.Votes = None,
    min_label_mass: options.MinLabelMass = None,
    engine: options.Engine = None,
    rubrics: options.Rubrics = None,
    database: options.Database = None,
    config: options.Config = None,
) -> None:
    """Serve scores over HTTP: POST /v1/score, OpenAPI at /openapi.json, documentation at /docs.

    Judgments are kept in ./judge-server.db unless --database or DATABASE_URL says otherwise. On SIGTERM the server lets
    nothing more in and finishes what is under way within drain_seconds.

    Example: judge-server serve --model vllm:Qwen/Qwen3.5-9B --mode direct
    """
    try:
        settings = options.settings_from(
            config=config,
            model=model,
            mode=mode,
            votes=votes,
            min_label_mass=min_label_mass,
            engine=engine,
            rubrics=rubrics,
            database=database,
            host=host,
            port=port,
        )
    except JudgeServerError as fault:
        fail(str(fault))
    _run(settings.with_flags(database_url=settings.database_url or DEFAULT_DATABASE))


def _run(settings: Settings) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http="httptools",
            lifespan="on",
            access_log=False,
            log_level=settings.log_level,
            timeout_graceful_shutdown=max(int(settings.drain_seconds), 1),
            server_header=False,
        )
    )
    server.run()
    if not server.started:
        raise typer.Exit(1)
