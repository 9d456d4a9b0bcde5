"""The public sets that can be imported, and the import: check the files against the manifest, then read them."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from judge_server.core.errors import BadInput
from judge_server.labels.label import CriterionScale
from judge_server.labels.label_set import LabelSet
from judge_server.labels.public import kqa, llm_rubric, ttcw, xstest
from judge_server.labels.public.manifest import Manifest, manifest
from judge_server.labels.readers import healthbench
from judge_server.labels.readers.form import head_of
from judge_server.labels.readers.label_reading import labels_from
from judge_server.labels.readers.records import Record


@dataclass(frozen=True)
class PublicSet:
    """``records``: files → long-format records with their row numbers; ``scales``: as published."""

    name: str
    records: Callable[[Sequence[Path]], Iterator[Record]]
    scales: tuple[CriterionScale, ...]

    @property
    def manifest(self) -> Manifest:
        return manifest(self.name)


_SETS: Final = (
    PublicSet("xstest", xstest.records, xstest.SCALES),
    PublicSet("kqa", kqa.records, kqa.SCALES),
    PublicSet("ttcw", ttcw.records, ttcw.SCALES),
    PublicSet("llm-rubric", llm_rubric.records, llm_rubric.SCALES),
    PublicSet("healthbench-meta", healthbench.records, healthbench.SCALES),
)
SETS: Final[Mapping[str, PublicSet]] = {public.name: public for public in _SETS}


def import_public(name: str, paths: Sequence[Path], *, unverified: bool = False) -> LabelSet:
    """The label set ``name`` from its published files. Raises BadInput for a file whose checksum is not in the manifest
    (unless ``unverified``), and like ``read_labels``."""
    public = SETS[name]
    sums = [_checksum(path) for path in paths]
    known = public.manifest.checksums
    strange = [path for path, checksum in zip(paths, sums, strict=True) if checksum not in known]
    if strange and not unverified:
        raise BadInput(
            f"The checksum of {strange[0].name} is {sums[paths.index(strange[0])]}, which is not in the manifest of "
            f"{name}{_expected(public.manifest)}.",
            remedy="Fetch the file again; if you trust this edition, give --unverified, and the labels will say so.",
        )
    whole = sums[0] if len(sums) == 1 else hashlib.sha256("\n".join(sorted(sums)).encode()).hexdigest()
    provenance = public.manifest.provenance(f"sha256:{whole}", verified=not strange)
    source = ", ".join(path.name for path in paths)
    return labels_from(public.records(paths), source, name=name, provenance=provenance, scales=public.scales)


def _checksum(path: Path) -> str:
    head_of(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _expected(manifest: Manifest) -> str:
    known = ", ".join(f"{name} {checksum}" for checksum, name in manifest.checksums.items())
    return f" (it has {known})" if known else " (it has none)"
