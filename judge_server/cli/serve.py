"""``judge-server serve``: the HTTP service."""

from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.running import BAD_USE


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
    require_calibrated: Annotated[
        bool | None,
        typer.Option(
            "--require-calibrated",
            help="Answer 409 for a judge and rubric that have not passed calibrate gate.",
        ),
    ] = None,
    auth: Annotated[
        bool | None,
        typer.Option(
            "--auth/--no-auth",
            help="Demand API keys, or demand none (default: they are demanded unless --host is a loopback address).",
        ),
    ] = None,
    config: options.Config = None,
) -> None:
    """Serve scores over HTTP: POST /v1/score, OpenAPI at /openapi.json, documentation at /docs.

    Judgments are kept in ./judge-server.db unless --database or DATABASE_URL says otherwise. On SIGTERM the server lets
    nothing more in and finishes what is under way within drain_seconds.

    Example: judge-server serve --model vllm:Qwen/Qwen3.5-9B --mode direct
    """
    from judge_server.server.serving import serve_until_stopped

    settings = options.settings_given(
        config=config,
        model=model,
        mode=mode,
        votes=votes,
        min_label_mass=min_label_mass,
        engine=engine,
        rubrics=rubrics,
        database=database,
        require_calibrated=require_calibrated,
        host=host,
        port=port,
        authentication=None if auth is None else "required" if auth else "off",
    )
    if not serve_until_stopped(settings.with_database()):
        raise typer.Exit(BAD_USE)
