"""The limits on files, names and imports, measured by ``python -m benchmarks.structure``."""

import statistics
from pathlib import Path

import pytest

from benchmarks.structure import Package, read_package
from tests.project.repository import ROOT, python_files

LONGEST_FILE = 400
SMALLEST_MEDIAN, LARGEST_MEDIAN = 95, 150
MOST_SMALL_FILES = 0.25
MOST_BROAD_EXCEPTS = 0.9

TREE = {
    "__init__.py": "",
    "first.py": "from shop.second import Price\n\nclass Order:\n    class Inner: ...\n",
    "second.py": "import typing\nif typing.TYPE_CHECKING:\n    from .first import Order\n\nclass Price: ...\n",
    "third/__init__.py": "from ..second import Price\nfrom . import fourth\n",
    "third/fourth.py": "class Order: ...\n\ndef late():\n    from shop.third import Price\n"
    "    try: ...\n    except (KeyError, Exception): ...\n",
    "ring/a.py": "import shop.ring.b\n\ndef typed(self, x: int, *rest: int, key: str = '') -> None: ...\n",
    "ring/b.py": "from shop.ring import c\n" + "\n" * 60,
    "ring/c.py": "from shop.ring import a\n\ntry: ...\nexcept ValueError: ...\n",
}


@pytest.fixture(scope="module")
def package() -> Package:
    return read_package(ROOT / "judge_server")


@pytest.fixture
def shop(tmp_path: Path) -> Package:
    for name, text in TREE.items():
        path = tmp_path / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read_package(tmp_path / "shop")


def test_lengths_count_every_file_that_is_not_empty(shop):
    assert shop.lengths == {
        "shop.first": 4,
        "shop.second": 5,
        "shop.third": 2,
        "shop.third.fourth": 6,
        "shop.ring.a": 3,
        "shop.ring.b": 61,
        "shop.ring.c": 4,
    }
    assert (shop.median, shop.longest, shop.small_share) == (4, 61, 6 / 7)


def test_only_outer_classes_count_as_duplicates(shop):
    assert shop.duplicate_classes == {"Order": ["shop.first", "shop.third.fourth"]}


def test_import_cycles_are_found_at_run_time_and_in_all_imports(shop):
    ring = ["shop.ring.a", "shop.ring.b", "shop.ring.c"]
    assert shop.cycles(run_time_only=True) == [ring]
    assert sorted(shop.cycles(run_time_only=False)) == [
        ["shop.first", "shop.second"],
        ring,
        ["shop.third", "shop.third.fourth"],
    ]


def test_broad_excepts_and_untyped_functions_are_located(shop):
    assert shop.modules["shop.third.fourth"].broad_excepts == [6]
    assert shop.modules["shop.ring.c"].broad_excepts == []
    assert shop.untyped == ["shop.third.fourth:3 late"]
    assert shop.typed_share == 0.5


def test_no_python_file_exceeds_the_limit_and_half_are_short():
    counts = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()
    }
    assert {name: lines for name, lines in counts.items() if lines > LONGEST_FILE} == {}
    assert statistics.median(lines for lines in counts.values() if lines) < LARGEST_MEDIAN


def test_files_are_neither_crumbs_nor_scrolls(package):
    assert SMALLEST_MEDIAN <= package.median <= LARGEST_MEDIAN
    assert package.small_share <= MOST_SMALL_FILES
    assert package.longest <= LONGEST_FILE


def test_every_class_name_is_used_once(package):
    assert package.duplicate_classes == {}


def test_no_modules_import_each_other(package):
    assert package.cycles(run_time_only=True) == []
    assert package.cycles(run_time_only=False) == []


def test_broad_excepts_are_rare(package):
    assert package.broad_excepts_per_thousand <= MOST_BROAD_EXCEPTS


def test_every_function_is_typed(package):
    assert package.untyped == []
