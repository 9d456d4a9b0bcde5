"""Samples through OpenRLHF's SingleTurnAgentExecutor, which generates one and asks for its reward.

    openrlhf_rewards.py RUNS.json RESULTS.json

A run: ``url`` (of ``--reward.remote_url``), ``prompts``, ``responses`` and ``labels``. The engine says the response; a
token is a letter. A result: what OpenRLHF keeps of each sample, or why the executor could not be made.
"""

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from openrlhf.utils.agent import SingleTurnAgentExecutor


class Letters:
    def __call__(self, text, **_options):
        return {"input_ids": torch.tensor([[ord(letter) for letter in text]])}

    def decode(self, ids, *, skip_special_tokens):
        assert not skip_special_tokens
        return "".join(map(chr, ids))


class Engine:
    """Says one response."""

    def __init__(self, response):
        self.response = response

    async def generate(self, *_asked, **_options):
        ids = [ord(letter) for letter in self.response]
        return SimpleNamespace(outputs=[SimpleNamespace(token_ids=ids, finish_reason="stop", logprobs=None)])


async def play(run):
    executor = SingleTurnAgentExecutor([run["url"]])
    sampling = SimpleNamespace(max_tokens=1_000, logprobs=None)
    rows = zip(run["prompts"], run["responses"], run["labels"], strict=True)
    samples = [
        executor.execute(prompt, label, sampling, 10_000, Letters(), Engine(response))
        for prompt, response, label in rows
    ]
    done = await asyncio.gather(*samples)
    return [{name: sample[name] for name in ("reward", "scores", "extra_logs")} for sample in done]


def attempt(run):
    try:
        return asyncio.run(play(run))
    except Exception as error:  # noqa: BLE001 - the error is the result
        return {"error": type(error).__name__, "text": str(error)}


def main():
    runs = json.loads(Path(sys.argv[1]).read_text())
    results = {name: attempt(run) for name, run in runs.items()}
    Path(sys.argv[2]).write_text(json.dumps(results))


main()
