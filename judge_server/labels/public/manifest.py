"""The origin of a public set: source, commit, licence and the checksums of known files."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from judge_server.core.model import Frozen
from judge_server.labels.label_set import Provenance


class ManifestFile(Frozen):
    """``sha256``: 64 hexadecimal digits, None if no checksum is known yet."""

    name: str
    sha256: str | None = None
    what: str = ""


class Manifest(Frozen):
    """``upstream``: other paths in the source's repository that the importer reads, unverified."""

    title: str
    source: str
    commit: str | None = None
    licence: str
    nature: Literal["expert", "crowd"]
    upstream: tuple[str, ...] = ()
    note: str | None = None
    files: tuple[ManifestFile, ...] = ()

    @property
    def checksums(self) -> dict[str, str]:
        """File name by checksum."""
        return {file.sha256: file.name for file in self.files if file.sha256}

    def provenance(self, checksum: str, *, verified: bool) -> Provenance:
        notes = [self.note or "", "" if verified else "The checksum is not one of the manifest's."]
        return Provenance(
            source=self.source,
            commit=self.commit,
            licence=self.licence,
            checksum=checksum,
            nature=self.nature,
            note=" ".join(note for note in notes if note) or None,
        )


@cache
def manifest(name: str) -> Manifest:
    """Raises FileNotFoundError for a name without a manifest."""
    path = Path(__file__).parent / "manifests" / f"{name}.toml"
    return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
