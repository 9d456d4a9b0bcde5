import statistics

from tests.project.repository import ROOT, python_files

LONGEST = 400
MEDIAN = 150


def lengths() -> dict[str, int]:
    counted = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()
    }
    return {name: lines for name, lines in counted.items() if lines}


def test_no_file_outgrows_one_sitting():
    assert {name: lines for name, lines in lengths().items() if lines > LONGEST} == {}


def test_half_of_the_files_fit_on_a_few_screens():
    assert statistics.median(lengths().values()) < MEDIAN
