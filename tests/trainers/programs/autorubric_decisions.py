"""Clients of decision models against judge-server: openai's, LiteLLM's, and AutoRubric's decision grader.

    autorubric_decisions.py URL RESULTS.json

Every answer is validated strictly by the client's own types.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
from autorubric import Criterion, DecisionModelConfig, Rubric
from autorubric.graders import CriterionGrader
from openai import NotFoundError, OpenAI
from openai.types import Decision

STATE = {"prompt": "I have had a headache since yesterday.", "response": "Drink water and rest."}
PREDICATE = {"type": "predicate", "name": "water", "instructions": "Names water."}
SCORE = {
    "type": "score",
    "name": "clear",
    "instructions": "How clear is it?",
    "levels": [{"label": "unclear"}, {"label": "clear"}],
}
CHOICE = {
    "type": "choice",
    "name": "kind",
    "instructions": "Which kind is it?",
    "choices": [{"value": True}, {"value": False}, {"value": "both"}],
}


def openai_client(url):
    client = OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    raw = client.decisions.with_raw_response.create(
        model="default", input="Drink water.", questions=[PREDICATE, SCORE, CHOICE]
    )
    answered = Decision.model_validate(json.loads(raw.text), strict=True)
    try:
        client.decisions.create(model="nobody", input="Drink water.", questions=[PREDICATE])
    except NotFoundError as fault:
        error = {"code": fault.code, "type": fault.type}
    return {"answers": [one.model_dump() for one in answered.answers], "error": error}


def litellm_client(url):
    decided = litellm.decisions(
        model="openai/default", api_base=f"{url}/v1", api_key="none", input="Drink water.", questions=[PREDICATE]
    )
    asked = litellm.systemone(
        model="hosted_vllm/default",
        api_base=f"{url}/v1",
        api_key="none",
        state=STATE,
        questions={"water": {"type": "noul", "instructions": "Names water."}},
    )
    return {
        "decisions": [one.model_dump() for one in decided.answers],
        "systemone": {name: one.model_dump() for name, one in asked.answers.items()},
    }


async def autorubric_grader(url):
    rubric = Rubric(
        [
            Criterion(name="water", weight=5.0, requirement="Names water."),
            Criterion(name="dose", weight=-3.0, requirement="Names a dose of a drug."),
        ]
    )
    config = DecisionModelConfig(model="default", api_base=url, api_key="none")
    graded = await rubric.grade(
        STATE["response"], grader=CriterionGrader(judge_model_config=config), query=STATE["prompt"]
    )
    return {"score": graded.score, "error": graded.error, "verdicts": len(graded.report or [])}


if __name__ == "__main__":
    url = sys.argv[1]
    results = {
        "openai": openai_client(url),
        "litellm": litellm_client(url),
        "autorubric": asyncio.run(autorubric_grader(url)),
    }
    Path(sys.argv[2]).write_text(json.dumps(results))
