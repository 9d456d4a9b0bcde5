"""The prompt that a judge is sent about one criterion, for people: its turns as text, word by word."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from judge_server.core.criterion import Judged
from judge_server.judging.answer import Judge
from judge_server.judging.cascade import CascadeJudge
from judge_server.judging.decision import typed_question
from judge_server.judging.exemplified import ExemplifiedJudge
from judge_server.judging.judge_input import JudgeInput
from judge_server.judging.panel import PanelJudge
from judge_server.judging.single import SingleJudge
from judge_server.models.protocol import Segment


@dataclass(frozen=True)
class ShownPrompt:
    """``judge``: which member of a panel or cascade is sent it; ``turns``: role and text of each."""

    judge: str
    criterion: str
    turns: tuple[tuple[str, str], ...]


def shown_prompts(judge: Judge, material: JudgeInput, criterion: Judged) -> Iterator[ShownPrompt]:
    """One for each judge that may be asked. Texts are rebuilt by the writers that made them, which give the same words
    for the same material; a remembered verdict was asked for in them too."""
    if isinstance(judge, SingleJudge):
        yield ShownPrompt(judge.specification.name, criterion.id, _turns(judge, material, criterion))
    elif isinstance(judge, ExemplifiedJudge):
        examples = () if material.about == "conversation" else judge.pool.chosen(material, criterion)
        yield from shown_prompts(judge.inner, replace(material, examples=examples), criterion)
    elif isinstance(judge, PanelJudge | CascadeJudge):
        for member in judge.members:
            yield from shown_prompts(member, material, criterion)


def _turns(judge: SingleJudge, material: JudgeInput, criterion: Judged) -> tuple[tuple[str, str], ...]:
    writer = judge.writer
    if judge.model.capabilities.decisions:
        asked = typed_question(criterion, writer)
        told = [one.name if one.description is None else f"{one.name}: {one.description}" for one in asked.options]
        question = "\n".join([_text(asked.instructions), *told])
        turns = [(turn.role, _text(turn.segments)) for turn in writer.material(material).turns]
        return (*turns, ("question", question))
    if judge.mode == "reason":
        prompt = writer.write(material, (criterion,), "reason")
    else:
        prompt = writer.label_prompt(material, criterion).prompt
    return tuple((turn.role, _text(turn.segments)) for turn in prompt.turns)


def _text(segments: tuple[Segment, ...]) -> str:
    return "".join(segment.text for segment in segments)
