"""The corpus as token ids: what an engine in the same process is given."""

from collections import Counter

import pytest

from judge_server.attack.base import BASES
from judge_server.attack.corpus import corpus
from judge_server.attack.defence import unbroken
from judge_server.judging.prompt import PromptWriter
from judge_server.models.chat_template import ChatTemplate
from judge_server.models.tokenizing import PartTokenizer
from judge_server.scoring.plan import plan
from tests.models.families import FAMILIES

BASE = BASES[1]  # its criteria read answer, reference and the whole response
WRITER = PromptWriter(b"s" * 32)


def prompts(submission):
    for question in plan(submission, BASE.rubric).questions:
        yield question.criterion.id, WRITER.write(question.material, (question.criterion,), "direct")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_no_attack_adds_a_control_token_to_any_prompt(family, tell):
    parts = PartTokenizer(family.tokenizer())
    template = ChatTemplate(family.tokenizer(), parts)

    def control(prompt) -> Counter[int]:
        return Counter(token_id for token_id in template.encode(prompt) if token_id in parts.control_ids)

    expected = {name: control(prompt) for name, prompt in prompts(BASE.submission())}
    spelled = encoded = 0
    for attack in corpus():
        for name, prompt in prompts(attack.on(BASE)):
            assert control(prompt) == expected[name], attack.id
            encoded += 1
            spelled += attack.family == "chat_token" and control(unbroken(prompt)) != expected[name]
    tell(f"{family.name}: {encoded} prompts, no control token added; unbroken, {spelled} of them had some more")
    assert spelled >= 4
