"""A decision model that is asked over HTTP."""

from contextlib import asynccontextmanager

from judge_server.models.registry import open_model


@asynccontextmanager
async def started(stub, **options):
    model = open_model(f"decide:stub@{stub.address}", options)
    await model.start()
    try:
        yield model
    finally:
        await model.close()
