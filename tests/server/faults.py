"""Judges that fail on some questions and answer the rest."""

import json

from tests.stub_judge import Behaviour, Reply, faithful


def only_for(mark: str, reply: Reply, otherwise: Behaviour | None = None) -> Behaviour:
    """``reply`` to every question that says ``mark``; the rest, such as the probes at the start, gets an answer."""
    sound = otherwise or faithful()
    return lambda body: reply if mark in json.dumps(body) else sound(body)
