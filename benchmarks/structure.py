"""The structure of Python packages in figures, several packages beside each other.

``python -m benchmarks.structure judge_server PATH...`` parses every ``*.py`` file below each path, imports nothing, and
prints a table with one column per package. ``--details`` lists the files, names and cycles behind the figures of the
first package.
"""

import argparse
import ast
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

SMALL: Final = 60
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file. ``name`` is dotted and starts with the package's name; a folder's ``__init__.py`` has the folder's."""

    path: Path
    name: str
    lines: int
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @cached_property
    def classes(self) -> set[str]:
        """Names of the classes outside other classes and functions, private ones included."""
        return set(_outer_classes(self.tree))

    @cached_property
    def functions(self) -> list[Function]:
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    @cached_property
    def broad_excepts(self) -> list[int]:
        """Line numbers of ``except:``, ``except Exception`` and ``except BaseException``."""
        handlers = (node for node in ast.walk(self.tree) if isinstance(node, ast.ExceptHandler))
        return [handler.lineno for handler in handlers if _is_broad(handler.type)]


@dataclass(frozen=True)
class Package:
    """All modules below one folder, by name."""

    modules: Mapping[str, Module]

    @cached_property
    def lengths(self) -> dict[str, int]:
        """Lines of every file that is not empty."""
        return {module.name: module.lines for module in self.modules.values() if module.lines}

    @property
    def median(self) -> float:
        return statistics.median(self.lengths.values())

    @property
    def longest(self) -> int:
        return max(self.lengths.values())

    @property
    def small_share(self) -> float:
        """Share of the files of at most 60 lines."""
        return sum(lines <= SMALL for lines in self.lengths.values()) / len(self.lengths)

    @cached_property
    def duplicate_classes(self) -> dict[str, list[str]]:
        """Class names that stand in more than one module."""
        homes: dict[str, list[str]] = defaultdict(list)
        for module in self.modules.values():
            for name in module.classes:
                homes[name].append(module.name)
        return {name: sorted(found) for name, found in sorted(homes.items()) if len(found) > 1}

    @property
    def broad_excepts_per_thousand(self) -> float:
        count = sum(len(module.broad_excepts) for module in self.modules.values())
        return 1_000 * count / sum(self.lengths.values())

    @cached_property
    def untyped(self) -> list[str]:
        """``module:line name`` of every function with a parameter or a result that has no annotation."""
        return [
            f"{module.name}:{function.lineno} {function.name}"
            for module in self.modules.values()
            for function in module.functions
            if not _is_typed(function)
        ]

    @property
    def typed_share(self) -> float:
        functions = sum(len(module.functions) for module in self.modules.values())
        return 1 - len(self.untyped) / functions if functions else 1.0

    @property
    def longest_function(self) -> int:
        functions = (function for module in self.modules.values() for function in module.functions)
        return max(((function.end_lineno or 0) - function.lineno + 1 for function in functions), default=0)

    def cycles(self, *, run_time_only: bool) -> list[list[str]]:
        """Groups of modules that import each other. Run time: module-level imports outside ``if TYPE_CHECKING``; else
        imports inside functions and those for the type checker count too."""
        edges = {
            name: {target for target in self._imports(module, run_time_only) if target != name}
            for name, module in self.modules.items()
        }
        return [sorted(group) for group in _components(edges) if len(group) > 1]

    def _imports(self, module: Module, run_time_only: bool) -> Iterator[str]:
        for node in _import_nodes(module.tree, run_time_only):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names if alias.name in self.modules)
                continue
            base = _absolute(module, node)
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                if submodule in self.modules:
                    yield submodule
                elif base in self.modules:
                    yield base


def read_package(folder: Path) -> Package:
    """Parses every Python file below ``folder``, whose name is the package's. Raises SyntaxError."""
    folder = folder.resolve()
    modules = (_read_module(path, folder.parent) for path in sorted(folder.rglob("*.py")))
    return Package({module.name: module for module in modules})


def _read_module(path: Path, root: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    parts = path.relative_to(root).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(path, name, len(text.splitlines()), ast.parse(text, str(path)))


def _outer_classes(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield child.name
        elif not isinstance(child, Function):
            yield from _outer_classes(child)


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(one) for one in caught.elts)
    return caught is None or (isinstance(caught, ast.Name) and caught.id in {"Exception", "BaseException"})


def _is_typed(function: Function) -> bool:
    """``self`` and ``cls`` need no annotation."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    if positional and positional[0].arg in {"self", "cls"}:
        positional = positional[1:]
    parameters = [*positional, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
    return function.returns is not None and all(parameter.annotation is not None for parameter in parameters)


def _import_nodes(tree: ast.Module, run_time_only: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif not (run_time_only and (isinstance(node, Function | ast.Lambda) or _is_for_type_checkers(node))):
            waiting.extend(ast.iter_child_nodes(node))


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    parts = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*parts, *filter(None, [node.module])])


def _components(edges: Mapping[str, Iterable[str]]) -> Iterator[set[str]]:
    """Strongly connected components, by Kosaraju's algorithm: a second walk over the reversed edges."""
    backwards: dict[str, list[str]] = {name: [] for name in edges}
    for name, targets in edges.items():
        for target in targets:
            backwards[target].append(name)
    finished: list[str] = []
    seen: set[str] = set()
    for name in edges:
        finished.extend(_walk(name, edges, seen))
    seen = set()
    for name in reversed(finished):
        if component := _walk(name, backwards, seen):
            yield set(component)


def _walk(start: str, edges: Mapping[str, Iterable[str]], seen: set[str]) -> list[str]:
    """What is reached from ``start`` and was not seen before, in the order in which the walk is done with it."""
    if start in seen:
        return []
    seen.add(start)
    done: list[str] = []
    path = [(start, iter(edges[start]))]
    while path:
        name, targets = path[-1]
        following = next((target for target in targets if target not in seen), None)
        if following is None:
            done.append(name)
            path.pop()
        else:
            seen.add(following)
            path.append((following, iter(edges[following])))
    return done


def figures(package: Package) -> dict[str, str]:
    """The table's column for one package."""
    return {
        "files": f"{len(package.lengths)}",
        "lines": f"{sum(package.lengths.values())}",
        "median file": f"{package.median:g}",
        f"share of files <= {SMALL} lines": f"{package.small_share:.1%}",
        "longest file": f"{package.longest}",
        "longest function": f"{package.longest_function}",
        "class names defined twice": f"{len(package.duplicate_classes)}",
        "import cycles, run time": f"{len(package.cycles(run_time_only=True))}",
        "import cycles, all": f"{len(package.cycles(run_time_only=False))}",
        "broad excepts per 1000 lines": f"{package.broad_excepts_per_thousand:.2f}",
        "typed functions": f"{package.typed_share:.1%}",
    }


def print_details(package: Package) -> None:
    for name, homes in package.duplicate_classes.items():
        print(f"class {name}: {', '.join(homes)}")
    for cycle in package.cycles(run_time_only=False):
        print(f"cycle: {', '.join(cycle)}")
    for module in package.modules.values():
        for line in module.broad_excepts:
            print(f"broad except: {module.name}:{line}")
    for function in package.untyped:
        print(f"untyped: {function}")
    small: dict[str, list[str]] = defaultdict(list)
    for name, lines in package.lengths.items():
        if lines <= SMALL:
            small[name.rpartition(".")[0]].append(f"{name.rpartition('.')[2]} {lines}")
    for folder, files in sorted(small.items()):
        print(f"small in {folder}: {', '.join(files)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+", type=Path, metavar="PATH", help="folder of a package")
    parser.add_argument("--details", action="store_true", help="list what is behind the first package's figures")
    flags = parser.parse_args()
    packages = [read_package(path) for path in flags.packages]
    columns = [figures(package) for package in packages]
    names = [path.resolve().name for path in flags.packages]
    print(" " * 32 + "".join(f"{name:>20}" for name in names))
    for row in columns[0]:
        print(f"{row:32}" + "".join(f"{column[row]:>20}" for column in columns))
    if flags.details:
        print_details(packages[0])


if __name__ == "__main__":
    main()
