"""``make simulate``: every cell with its Monte-Carlo error (two standard errors), as a table.

With ``--keep DIRECTORY`` the outcomes are written there cell by cell, and a later run with more sets continues.
"""

import argparse
import json
import re
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from benchmarks.simulation.cell import HEAD, Cell, Outcome, lines
from benchmarks.simulation.cells import CELLS

WITHOUT_LADDER = r"^(?!.*\bladder\b)"  # a judge is improved in each of its sets: hours
AT_ONCE = 25  # sets of one task
Drawn = list[dict[str, Outcome]]


def task(place: int, seed: int, first: int, last: int) -> Drawn:
    return CELLS[place].drawn(seed, first, last)


def file_of(cell: Cell, seed: int, kept: Path) -> Path:
    return kept / f"{re.sub('[^a-z0-9]+', '-', cell.name.lower()).strip('-')}.{seed}.jsonl"


def read(path: Path) -> dict[int, Drawn]:
    """The outcomes that an earlier run wrote, by first set."""
    found: dict[int, Drawn] = {}
    if path.exists():
        for text in path.read_text("utf-8").splitlines():
            first, drawn = json.loads(text)
            found[first] = [{name: Outcome(**own) for name, own in one.items()} for one in drawn]
    return found


def write(path: Path, first: int, drawn: Drawn) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{name: asdict(own) for name, own in one.items()} for one in drawn]
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps([first, rows]) + "\n")


def simulated(chosen: list[int], sets: int, seed: int, workers: int, kept: Path | None) -> Iterator[tuple[int, Drawn]]:
    """Each cell's outcomes, in the order in which the cells are finished."""
    found: dict[int, dict[int, Drawn]] = {}
    with ProcessPoolExecutor(workers) as pool:
        under_way: dict[Future[Drawn], tuple[int, int]] = {}
        for place in chosen:
            cell = CELLS[place]
            found[place] = read(file_of(cell, seed, kept)) if kept is not None else {}
            for first in range(0, sets, AT_ONCE):
                last = min(first + AT_ONCE, sets)
                if len(found[place].get(first, ())) < last - first:
                    future = pool.submit(task, place, seed, first, last)
                    under_way[future] = (place, first)
        waiting = {place: sum(own == place for own, _ in under_way.values()) for place in chosen}
        yield from ((place, joined(found[place])) for place in chosen if not waiting[place])
        for future in as_completed(under_way):
            place, first = under_way[future]
            found[place][first] = future.result()
            if kept is not None:
                write(file_of(CELLS[place], seed, kept), first, future.result())
            waiting[place] -= 1
            if not waiting[place]:
                yield place, joined(found[place])


def joined(parts: dict[int, Drawn]) -> Drawn:
    return [one for first in sorted(parts) for one in parts[first]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200, help="label sets drawn for each cell")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    told = "a regular expression: only cells whose names it is found in; by default all but those of calibrate improve"
    parser.add_argument("--only", default=WITHOUT_LADDER, help=told)
    parser.add_argument("--keep", type=Path, help="directory for the outcomes of every set")
    parser.add_argument("--known", action="store_true", help="print the table of what --keep holds, and draw nothing")
    given = parser.parse_args()
    chosen = [place for place, cell in enumerate(CELLS) if re.search(given.only, cell.name)]
    print(HEAD, flush=True)
    if given.known:
        results: Iterator[tuple[int, Drawn]] = (
            (place, joined(read(file_of(CELLS[place], given.seed, given.keep)))) for place in chosen
        )
    else:
        results = simulated(chosen, given.sets, given.seed, given.workers, given.keep)
    for place, drawn in results:
        for line in lines(CELLS[place], drawn) if drawn else ():
            print(line, flush=True)


if __name__ == "__main__":
    main()
