"""What the dialects keep while the server runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from judge_server.server.dialects.prompt_table import load_prompt_table
from judge_server.server.dialects.roll_tasks import Tasks
from judge_server.server.dialects.substitution import Substitutions
from judge_server.server.telemetry.metrics import Metrics
from judge_server.wiring.service import Service


@asynccontextmanager
async def dialects(app: FastAPI, service: Service, metrics: Metrics) -> AsyncIterator[None]:
    """Reads the prompt table, and ends what ROLL left unfinished. Raises BadConfiguration."""
    path = service.settings.prompt_table
    app.state.prompt_table = None if path is None else await load_prompt_table(path, service.rubric_registry.get)
    app.state.substitutions = Substitutions(metrics)
    app.state.roll_tasks = tasks = Tasks(service.settings.max_under_way)
    try:
        yield
    finally:
        await tasks.close()
