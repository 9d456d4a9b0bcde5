"""The table of lint rules."""

from judge_server.authoring.rule import Rule
from judge_server.authoring.rules import anchor, gate, program, shape, statement, weight

RULES: tuple[Rule, ...] = (
    *statement.RULES,
    *weight.RULES,
    *gate.RULES,
    *anchor.RULES,
    *program.RULES,
    *shape.RULES,
)
