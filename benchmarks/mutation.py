"""Mutation testing: small faults are put into a module, one at a time, and its tests have to find each.

    python -m benchmarks.mutation                      reward algebra and intervals (make mutate)
    python -m benchmarks.mutation --only 12 40         faults by number, to look at a survivor again
    python -m benchmarks.mutation --first 100          from that number on, to continue a run

Comparisons, signs, products, ``and`` and ``or``, ``not``, ``min`` and ``max``, and numbers are changed. Each fault is
tried in a forked process that has imported the test tools but nothing of the package. A fault that no test finds is
printed with its place: either a test is missing, or the fault changes nothing that can be seen. The bound is on
processor time, so that a busy machine makes no fault look found.
"""

import argparse
import ast
import copy
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 120  # of processor time, as a fault may make a loop endless
TARGETS = {
    "judge_server.core.reward": (
        "tests/core/test_reward.py",
        "tests/core/test_reward_gate.py",
        "tests/core/test_step.py",
        "tests/core/test_reward_algebra.py",
        "tests/core/test_reward_missing.py",
    ),
    "judge_server.core.aggregation": (
        "tests/core/test_aggregate.py",
        "tests/core/test_aggregation.py",
        "tests/core/test_reward.py",
        "tests/core/test_reward_gate.py",
        "tests/core/test_reward_algebra.py",
        "tests/core/test_reward_missing.py",
    ),
    "judge_server.util.wilson": ("tests/util/test_wilson.py",),
    "judge_server.agreement.interval": ("tests/agreement/test_interval.py",),
}
_COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Fault(NamedTuple):
    """A changed module. ``told``: the line with what became of it."""

    line: int
    told: str
    tree: ast.Module


def faults(source: str) -> Iterator[Fault]:
    """Every fault of the source, in the order of its text; annotations and docstrings are left alone."""
    tree = ast.parse(source)
    for place, node in enumerate(ast.walk(tree)):
        for change in _changes(node):
            mutated = copy.deepcopy(tree)
            target = list(ast.walk(mutated))[place]
            before = ast.unparse(target)
            change(target)
            yield Fault(
                getattr(target, "lineno", 0), f"{before}  →  {ast.unparse(target)}", ast.fix_missing_locations(mutated)
            )


def _changes(node: ast.AST) -> Iterator["object"]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _COMPARISONS:
            yield lambda target: setattr(target, "ops", [_COMPARISONS[type(target.ops[0])]()])
        case ast.BinOp(op=operator) if type(operator) in _OPERATORS:
            yield lambda target: setattr(target, "op", _OPERATORS[type(target.op)]())
        case ast.BoolOp():
            yield lambda target: setattr(target, "op", ast.Or() if isinstance(target.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield lambda target: (
                setattr(target, "op", ast.Not()),
                setattr(target, "operand", ast.UnaryOp(ast.Not(), target.operand)),
            )
        case ast.UnaryOp(op=ast.USub()):
            yield lambda target: setattr(target, "op", ast.UAdd())
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield lambda target: setattr(target.func, "id", _CALLS[target.func.id])
        case ast.Constant(value=value) if isinstance(value, int | float) and not isinstance(value, bool):
            yield lambda target: setattr(target, "value", target.value + 1)
        case ast.Constant(value=bool()):
            yield lambda target: setattr(target, "value", not target.value)


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module out of a tree."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self.module = module
        self.tree = tree

    def find_spec(self, name, path, target=None):
        if name != self.module:
            return None
        return importlib.util.spec_from_loader(
            name, self, origin=importlib.machinery.PathFinder.find_spec(name, path).origin
        )

    def exec_module(self, module) -> None:
        exec(compile(self.tree, self.module, "exec"), module.__dict__)


def survives(module: str, tree: ast.Module, tests: tuple[str, ...]) -> bool:
    """Whether every test passes with the tree in place of the module."""
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        sys.meta_path.insert(0, _Mutated(module, tree))
        import pytest

        os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-W", "ignore", *tests])))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=list(TARGETS))
    parser.add_argument("--only", type=int, nargs="*")
    parser.add_argument("--first", type=int, default=1)
    given = parser.parse_args()
    os.chdir(ROOT)
    os.environ["CI"] = "true"  # property tests try the same examples each time
    for name in ("hypothesis", "numpy", "pydantic", "pytest", "scipy.stats", "statsmodels.api"):
        importlib.import_module(name)  # once, and not in each forked process
    number = tried = left = 0
    started = time.monotonic()
    for module in given.modules:
        file = ROOT / (module.replace(".", "/") + ".py")
        if not survives(module, ast.parse(file.read_text(encoding="utf-8")), TARGETS[module]):
            sys.exit(f"{module}: its tests fail without a fault")
        for fault in faults(file.read_text(encoding="utf-8")):
            number += 1
            if number < given.first or (given.only is not None and number not in given.only):
                continue
            tried += 1
            if tried % 10 == 0:
                print(f"fault {number}: {left} of {tried} survive so far", file=sys.stderr, flush=True)
            if survives(module, fault.tree, TARGETS[module]):
                left += 1
                print(f"{number}: {file.relative_to(ROOT)}:{fault.line}: {fault.told}", flush=True)
    print(f"{left} of {tried} faults survive ({time.monotonic() - started:.0f} s)")


if __name__ == "__main__":
    main()
