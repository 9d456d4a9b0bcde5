"""When a criterion applies: conditions on the submission's fields."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_serializer, model_validator

from judge_server.core.model import Flag, Frozen, Number

Scalar = str | bool | int | float | None
_ROOTS = ("facts", "reference", "policy")


class Condition(Frozen):
    """One comparison with the value found at a path; exactly one field is given. An absent value is null: it equals
    null, differs from everything else, and is neither at least nor at most any number."""

    equals: Scalar = None
    one_of: Annotated[tuple[Scalar, ...], Field(min_length=1)] | None = None
    exists: Flag | None = None
    not_: Scalar = None
    gte: Number | None = None
    lte: Number | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_shorthand(cls, given: Any) -> Any:
        if isinstance(given, list | tuple):
            return {"one_of": given}
        if isinstance(given, Mapping):
            given = {"not_" if key == "not" else key: value for key, value in given.items()}
            if len(given) != 1 or any(given.get(key, 0) is None for key in ("one_of", "exists", "gte", "lte")):
                raise ValueError("a condition compares in one way: {exists: true}, {not: x}, {gte: n} or {lte: n}")
            return given
        return {"equals": given}

    @model_serializer(mode="plain")
    def _as_compared(self) -> dict[str, Any]:
        # {not: null} and {equals: null} differ only in the given field
        return {field: getattr(self, field) for field in sorted(self.model_fields_set)}

    def holds(self, found: Any, present: bool) -> bool:
        """Whether the value ``found`` at the path (``present`` tells if there was one) satisfies the comparison."""
        if self.exists is not None:
            return present == self.exists
        if "not_" in self.model_fields_set:
            return not _same(found, self.not_)
        if self.gte is not None or self.lte is not None:
            if isinstance(found, bool) or not isinstance(found, int | float):
                return False
            return (self.gte is None or found >= self.gte) and (self.lte is None or found <= self.lte)
        if self.one_of is not None:
            return any(_same(found, option) for option in self.one_of)
        return _same(found, self.equals)


def _same(found: Any, wanted: Scalar) -> bool:
    # True == 1 in Python, but the facts 1 and true are different
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)


def _check_paths(given: Any) -> Any:
    if isinstance(given, Mapping):
        for path in given:
            root, *names = str(path).split(".")
            if root not in _ROOTS or (root == "facts") != bool(names) or not all(names):
                raise ValueError(
                    f"a condition reads facts.NAME, reference or policy, not {path!r}; "
                    "write {facts.NAME: VALUE}, such as {facts.pregnant: true}"
                )
    return given


When = Annotated[dict[str, Condition], BeforeValidator(_check_paths)]


def applies(when: Mapping[str, Condition], known: Mapping[str, Any]) -> bool:
    """Whether every condition holds. ``known`` has the keys ``facts`` (nested), ``reference`` and ``policy``."""
    return all(comparison.holds(*_look_up(path, known)) for path, comparison in when.items())


def _look_up(path: str, known: Mapping[str, Any]) -> tuple[Any, bool]:
    node: Any = known
    for part in path.split("."):
        if not isinstance(node, Mapping) or part not in node or node[part] is None:
            return None, False
        node = node[part]
    return node, True
