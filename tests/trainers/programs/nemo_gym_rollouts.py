"""Rollouts that NeMo Gym collects with its simple agent: arguments are the runs and where the results go.

``runs``: name → {"app": the page's app.py, or null where NeMo Gym is to speak to the server through a proxy,
"config": the page's configuration, "url": of the rubric's route, "query": of its /verify, "rows": the data set's}.
NeMo Gym's command line makes an environment for each server; here they share this one, and a process, whose one event
loop NeMo Gym's own client wants.
"""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import uvicorn
from aiohttp import ClientResponseError
from fastapi import FastAPI, Request, Response
from nemo_gym import global_config, server_utils
from nemo_gym.rollout_collection import RolloutCollectionConfig, RolloutCollectionHelper, failures_path_for
from nemo_gym.server_utils import BaseServerConfig, ServerClient
from omegaconf import OmegaConf
from responses_api_agents.simple_agent.app import SimpleAgent

HEAD = BaseServerConfig(host="127.0.0.1", port=9)


class Collecting(RolloutCollectionHelper):
    """Told where the servers are, in place of a head server."""

    def setup_server_client(self, head_server_config=None):
        return ServerClient(head_server_config=HEAD, global_config_dict=global_config.get_global_config_dict())


ANSWERS = {"I am tired.": "Rest, and drink enough.", "I need tablets.": "Where is the pharmacy?"}


def policy():
    """Knows two questions."""
    app = FastAPI()

    @app.post("/v1/responses")
    async def respond(request: Request):
        said = ANSWERS[(await request.json())["input"][-1]["content"]]
        content = [{"type": "output_text", "text": said, "annotations": []}]
        message = {"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": content}
        told = {"id": "r", "object": "response", "created_at": 0, "model": "policy", "output": [message]}
        return {**told, "parallel_tool_calls": False, "tool_choice": "auto", "tools": []}

    return app


def proxy(url, query):
    """As nginx in front of the server's route: every path is put behind it, and the query behind /verify."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def passed_on(path: str, request: Request):
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.request(
                request.method,
                f"{url}/{path}{query if path == 'verify' else ''}",
                content=await request.body(),
                headers={"content-type": "application/json"},
            )
        return Response(answer.content, answer.status_code, media_type="application/json")

    return app


class Server(uvicorn.Server):
    def __init__(self, app):
        kept = {"host": "127.0.0.1", "port": 0, "log_level": "error", "timeout_graceful_shutdown": 5}
        super().__init__(uvicorn.Config(app, **kept))
        self.listens = asyncio.Event()

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.listens.set()


@asynccontextmanager
async def listening(app):
    """The port of an app that answers."""
    server = Server(app)
    serving = asyncio.create_task(server.serve())
    await server.listens.wait()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


def configured(kind, name):
    """The server as NeMo Gym's ``run_webserver`` makes it of the configuration."""
    os.environ[global_config.NEMO_GYM_CONFIG_PATH_ENV_VAR_NAME] = name
    client = ServerClient(head_server_config=HEAD, global_config_dict=global_config.get_global_config_dict())
    server = kind(config=kind.load_config_from_global_config(), server_client=client)
    app = server.setup_webserver()
    server.setup_exception_middleware(app)
    return app


def resources(run, name):
    if run["app"] is None:
        return proxy(run["url"], run["query"])
    os.environ["JUDGE_GYM_URL"] = f"{run['url']}/verify{run['query']}"
    page = {"__name__": "app"}
    exec(compile(run["app"], "app.py", "exec"), page)
    return configured(page["JudgeServer"], name)


def placed(config, name, port=0):
    (kind,) = config[name].values()
    (server,) = kind.values()
    server.update(host="127.0.0.1", port=port)


async def collected(run):
    config = OmegaConf.create({**run["config"], "policy_model": {"responses_api_models": {"policy": {}}}})
    agent, judge = "judge_simple_agent", "judge"
    for name in (agent, judge, "policy_model"):
        placed(config, name)
    global_config._GLOBAL_CONFIG_DICT = config
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        placed(config, "policy_model", await stack.enter_async_context(listening(policy())))
        placed(config, judge, await stack.enter_async_context(listening(resources(run, judge))))
        placed(config, agent, await stack.enter_async_context(listening(configured(SimpleAgent, agent))))
        rows, output = folder / "rows.jsonl", folder / "rollouts.jsonl"
        rows.write_text("".join(json.dumps(row) + "\n" for row in run["rows"]))
        settings = {"agent_name": agent, "input_jsonl_fpath": str(rows), "output_jsonl_fpath": str(output)}
        try:
            await Collecting().run_from_config(RolloutCollectionConfig(**settings, num_repeats=1))
        except ClientResponseError as error:
            return {"raised": str(error)}
        finally:
            client, server_utils._GLOBAL_AIOHTTP_CLIENT = server_utils._GLOBAL_AIOHTTP_CLIENT, None
            await client.close()
        metrics = output.with_name("rollouts_aggregate_metrics.json")
        return {
            "rollouts": lines(output),
            "failures": lines(failures_path_for(output)),
            "metrics": json.loads(metrics.read_text())[0]["agent_metrics"] if metrics.exists() else {},
        }


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    runs = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps({name: asyncio.run(collected(run)) for name, run in runs.items()}))
