"""FLASK's skills: scales of 1 to 5 with described levels, and rows that name the skills they ask for.

Source: FLASK (arXiv 2307.10928): its skill file lists ``{Skill, Criteria, Scoring: {"1": …, "5": …}}``, its rows are
``{idx, instruction, answer, skill: [names], domain, difficulty}``. A row's rubric has the scales that it names, read
from the skill file, which has to lie in the row's folder. The level is the score, and (score - 1) / 4 its value.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.record import beside, slug, wrong_shape
from judge_server.authoring.parsing import from_data
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric

SKILL_FILE = "skillset_description.json"
_LEVELS = ("1", "2", "3", "4", "5")
_NAMES = ("skill", "metrics")
_SHAPE = f"A skill is {{Skill, Criteria, Scoring}} with levels 1 to 5; a row names skills of {SKILL_FILE}."


def fits(record: Any) -> bool:
    """Whether a record is a list of skills, or a row that names some."""
    if isinstance(record, list):
        return bool(record) and all(isinstance(one, Mapping) and "Scoring" in one for one in record)
    named = next((record[name] for name in _NAMES if name in record), None) if isinstance(record, Mapping) else None
    return isinstance(named, list) and "instruction" in record


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of all skills of the file, or of those that a row names."""
    if isinstance(record, list):
        skills, title, made_id = record, "FLASK skills", "flask/skills"
    elif isinstance(record, Mapping) and (named := _named(record)):
        known = {str(one["Skill"]): one for one in _skills_beside(where)}
        unknown = [name for name in named if name not in known]
        if unknown:
            raise wrong_shape(where, f"{SKILL_FILE} has no skill {', '.join(unknown)}", _SHAPE)
        skills = [known[name] for name in named]
        title, made_id = ", ".join(named)[:200], f"flask/row-{where.rsplit(':', 1)[-1]}"
    else:
        raise wrong_shape(where, "there are no skills", _SHAPE)
    taken: set[str] = set()
    criteria = [_criterion(skill, taken, where) for skill in skills]
    data = {"id": rubric_id or made_id, "version": "1.0.0", "title": title, "criteria": criteria}
    return from_data(data, file=where).rubric


def _named(record: Mapping[str, Any]) -> list[str]:
    found = next((record.get(name) for name in _NAMES if name in record), None)
    return [str(name).strip() for name in found] if isinstance(found, list) else []


def _skills_beside(where: str) -> list[Any]:
    found = beside(where, SKILL_FILE)
    if not isinstance(found, list) or not all(isinstance(one, dict) and "Skill" in one for one in found):
        raise BadInput(f"{where}: {SKILL_FILE} beside it is no list of skills.", remedy=_SHAPE)
    return found


def _criterion(skill: Any, taken: set[str], where: str) -> dict[str, Any]:
    scoring = skill.get("Scoring") if isinstance(skill, Mapping) else None
    name, asked = (skill.get("Skill"), skill.get("Criteria")) if isinstance(skill, Mapping) else (None, None)
    if not isinstance(scoring, Mapping) or not isinstance(asked, str) or not all(one in scoring for one in _LEVELS):
        raise wrong_shape(where, "a skill lacks criteria or one of five levels", _SHAPE)
    options = [
        {"label": level, "value": (int(level) - 1) / 4, "description": str(scoring.get(level))} for level in _LEVELS
    ]
    return {"id": slug(str(name), taken), "kind": "scale", "statement": asked.strip(), "options": options}
