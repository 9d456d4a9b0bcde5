"""How long the whole report takes: 100,000 labels on each of 20 criteria, 1,000 clustered resamples, from CSV to HTML.

``python -m benchmarks.report_speed`` writes the labels to a temporary file, measures reading, computing and writing,
and the peak memory of this process. ``--labels``, ``--criteria``, ``--people``, ``--prompts`` change the size.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from judge_server.labels.readers import read_labels
from judge_server.report.compute import compute
from judge_server.report.html import html


def write_labels(path: Path, labels: int, criteria: int, people: int, prompts: int) -> None:
    """Humans and one judge who agree more often than chance, with a probability for every judgment."""
    random = np.random.default_rng(0)
    items = labels // (people + 1)
    raters = [(f"person {rater}", "human") for rater in range(people)] + [("judge", "judge")]
    with path.open("w") as file:
        file.write("item,criterion,annotator,role,label,probability,cluster\n")
        for criterion in range(criteria):
            truth = random.random(items) < random.uniform(0.3, 0.7)
            for name, role in raters:
                right = random.random(items) < random.uniform(0.75, 0.9)
                said = np.where(right, truth, ~truth).astype(int)
                chance = np.clip(said * 0.6 + random.random(items) * 0.4, 0, 1)
                for item in range(items):
                    given = f"{chance[item]:.3f}" if role == "judge" else ""
                    file.write(f"i{item},c{criterion},{name},{role},{said[item]},{given},p{item % prompts}\n")


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=100_000, help="on each criterion")
    parser.add_argument("--criteria", type=int, default=20)
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--prompts", type=int, default=5_000)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "labels.csv"
        write_labels(path, flags.labels, flags.criteria, flags.people, flags.prompts)
        started = time.perf_counter()
        labels = read_labels(path)
        read = time.perf_counter()
        print(f"read {len(labels.table):,} labels in {read - started:.1f} s, {peak_megabytes():.0f} MB", flush=True)

        def progress(done: int, total: int, what: str) -> None:
            sys.stderr.write(f"\r{done}/{total} {what:30}")

        report = compute(labels, progress=progress)
        computed = time.perf_counter()
        page = html(report)
        written = time.perf_counter()
    sys.stderr.write("\n")
    print(f"computed in {computed - read:.1f} s, HTML of {len(page) / 1e6:.1f} MB in {written - computed:.1f} s")
    print(f"together {written - started:.1f} s, peak {peak_megabytes():.0f} MB")
    print(report.verdicts["judge"].text)


if __name__ == "__main__":
    main()
