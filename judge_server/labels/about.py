"""Metadata of a table of labels, in ``FILE.about.json`` next to it: scales, provenance, judges, rubric."""

from pathlib import Path

from pydantic import Field, ValidationError

from judge_server.core.errors import BadInput
from judge_server.core.judge import JudgeSpecification
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric
from judge_server.labels.label import CriterionScale
from judge_server.labels.label_set import Provenance


class About(Frozen):
    """``id``: the name of the label set. ``judges``: what kind of judge each is, in words. ``rubric``: the one by which
    a judge was asked, in full."""

    id: str | None = None
    provenance: Provenance | None = None
    scales: tuple[CriterionScale, ...] = ()
    judges: dict[str, str] = Field(default_factory=dict)
    rubric: Rubric | None = None


def about_path(labels: Path) -> Path:
    return labels.with_name(labels.name + ".about.json")


def read_about(labels: Path) -> About:
    """Empty metadata if there is no such file. Raises BadInput for a file that cannot be used."""
    path = about_path(labels)
    if not path.is_file():
        return About()
    try:
        return About.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as fault:
        first = fault.errors()[0] if isinstance(fault, ValidationError) else None
        told = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else str(fault)
        raise BadInput(f"{path.name}: {told}.", remedy="Correct it, or delete it: it is optional.") from fault


def require_shown(file: Path, judge: JudgeSpecification) -> None:
    """Raises JudgeNotAllowed if the metadata of the file name other judges to which its texts may be shown."""
    provenance = read_about(file).provenance
    if provenance is not None and provenance.judges:
        judge.require_shown(provenance.judges, f"The file {file.name}")
