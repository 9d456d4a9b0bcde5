"""The table of lint rules."""

from judge_server.authoring.rule import LintRule
from judge_server.authoring.rules import anchor, gate, program, shape, statement, veto, weight

RULES: tuple[LintRule, ...] = (
    *statement.RULES,
    *weight.RULES,
    *gate.RULES,
    *veto.RULES,
    *anchor.RULES,
    *program.RULES,
    *shape.RULES,
)
