"""The table of lint rules."""

from judge_server.authoring.rule import Rule
from judge_server.authoring.rules import anchor, gate, program, shape, statement, veto, weight

RULES: tuple[Rule, ...] = (
    *statement.RULES,
    *weight.RULES,
    *gate.RULES,
    *veto.RULES,
    *anchor.RULES,
    *program.RULES,
    *shape.RULES,
)
