"""IFEval rows: ``{key, prompt, instruction_id_list, kwargs}``, each instruction decided by a program.

Source: arXiv 2311.07911. An instruction without a check of the same meaning refuses the row, because no judge is to
decide about it.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.constraints import check_of
from judge_server.authoring.interchange.record import slug, wrong_shape
from judge_server.authoring.interchange.tracked import parsed, use_all
from judge_server.authoring.parsing import from_data
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric

_SHAPE = "A row is {prompt, instruction_id_list: [id], kwargs: [{name: value}]}."


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of one row. Raises BadInput that names the instructions without a check."""
    ids = record.get("instruction_id_list") if isinstance(record, Mapping) else None
    kwargs = parsed(record, "kwargs") if isinstance(record, Mapping) else None
    if not isinstance(ids, list) or not ids or not isinstance(kwargs, list) or len(kwargs) != len(ids):
        raise wrong_shape(where, "instruction_id_list and kwargs are not two lists of one length", _SHAPE)
    taken: set[str] = set()
    criteria, unknown = [], []
    for name, arguments in zip(ids, kwargs, strict=True):
        given = {key: value for key, value in dict(arguments or {}).items() if value is not None}
        use_all(arguments)
        check = check_of(str(name), given)
        if check is None:
            unknown.append(str(name))
            continue
        said = ", ".join(f"{key} {value}" for key, value in given.items())
        statement = f"{name}: {said}" if said else str(name)
        criteria.append({"id": slug(str(name), taken), "kind": "check", "statement": statement, "check": check})
    if unknown:
        raise BadInput(
            f"{where}: no check decides {', '.join(dict.fromkeys(unknown))}.",
            remedy="Leave these rows out, or write the check into a rubric by hand.",
        )
    data: dict[str, Any] = {
        "id": rubric_id or f"ifeval/row-{where.rsplit(':', 1)[-1]}",
        "version": "1.0.0",
        "title": "IFEval instructions",
        "criteria": criteria,
    }
    return from_data(data, file=where).rubric
