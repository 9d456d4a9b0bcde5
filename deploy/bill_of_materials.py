"""What a release holds and how it was built: a CycloneDX bill of materials for each lock, and SLSA provenance of the
built distributions. No network is used, and the same commit gives the same bytes.

    python -m deploy.bill_of_materials dist [BASE]    writes them beside the wheels and archives in dist/

BASE is the base of the images by digest (deploy/base_image.py). Without one the provenance is of the distributions
alone, and says so.

Formats: CycloneDX 1.6 (ECMA-424), in-toto Statement 1 with the predicate https://slsa.dev/provenance/v1.
"""

import argparse
import hashlib
import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name

from deploy.base_image import BaseImage, base_image, default
from judge_server import __version__

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {"server": "requirements/server.lock", "cuda": "requirements/vllm.lock"}
_NAMESPACE = uuid.UUID("6f1a2c1e-5b0f-4b5e-9d59-2b8d2b0a5f61")
_PIN = re.compile(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_VIA = re.compile(r"^    # +(?:via )?([\w.-]+)", re.MULTILINE)


class Locked(NamedTuple):
    """A pinned package, the digests of its files, and what asked for it."""

    name: str
    version: str
    digests: tuple[str, ...]
    wanted_by: tuple[str, ...]

    @property
    def reference(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def locked(text: str) -> Iterator[Locked]:
    """The pins of a lock file."""
    starts = list(_PIN.finditer(text))
    for place, start in enumerate(starts):
        entry = text[start.start() : starts[place + 1].start() if place + 1 < len(starts) else len(text)]
        digests = tuple(sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)))
        wanted_by = tuple(canonicalize_name(name) for name in _VIA.findall(entry) if name != "via")
        yield Locked(canonicalize_name(start[1]), start[2], digests, wanted_by)


def bill(lock: str) -> dict[str, Any]:
    """The CycloneDX document of the lock at this path below the repository."""
    packages = sorted(locked((ROOT / lock).read_text(encoding="utf-8")))
    ours = f"pkg:generic/judge-server@{__version__}"
    needed: dict[str, set[str]] = {name: set() for name in (ours, *(one.reference for one in packages))}
    known = {one.name: one.reference for one in packages} | {"judge-server": ours}
    for one in packages:
        for name in one.wanted_by:
            if name in known:
                needed[known[name]].add(one.reference)
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _ours(ours)},
        "components": [_component(one) for one in packages],
        "dependencies": [{"ref": name, "dependsOn": sorted(parts)} for name, parts in sorted(needed.items())],
    }
    number = uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True))
    return document | {"serialNumber": f"urn:uuid:{number}"}


def _ours(reference: str) -> dict[str, Any]:
    licence = [{"expression": "Apache-2.0 AND CC-BY-4.0"}]
    return {
        "type": "application",
        "bom-ref": reference,
        "name": "judge-server",
        "version": __version__,
        "licenses": licence,
    }


def _component(package: Locked) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.reference,
        "name": package.name,
        "version": package.version,
        "purl": package.reference,
        "properties": [{"name": "judge-server:sha256", "value": digest} for digest in package.digests],
    }
    licence = _licence(package)
    return found | ({"licenses": [licence]} if licence else {})


def _licence(package: Locked) -> dict[str, Any] | None:
    """From the metadata of the installed package, if it is the pinned version."""
    try:
        told = metadata(package.name)
    except PackageNotFoundError:
        return None
    if told["Version"] != package.version:
        return None
    if "License-Expression" in told:
        return {"expression": told["License-Expression"]}
    names = [line.rsplit(" :: ", 1)[-1] for line in told.get_all("Classifier", []) if line.startswith("License ::")]
    return {"license": {"name": names[0]}} if names else None


def provenance(folder: Path, commit: str, base: BaseImage | None = None) -> dict[str, Any]:
    """The in-toto statement about the distributions in ``folder``, built from ``commit``, and about the ``base`` that
    the images of this release stand on."""
    subjects = [*sorted(folder.glob("*.whl")), *sorted(folder.glob("*.tar.gz"))]
    if not subjects:
        raise SystemExit(f"{folder} holds no wheel and no archive: run make release.")
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path.name, "digest": {"sha256": _digest(path)}} for path in subjects],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:judge-server:make-release:1",
                "externalParameters": {
                    "commit": commit,
                    "target": "make release",
                    "images": "none: no base by digest was given" if base is None else base.name,
                },
                "resolvedDependencies": [
                    *([] if base is None else [{"name": base.name, "digest": {"sha256": base.digest}}]),
                    *(
                        {"name": name, "digest": {"sha256": _digest(ROOT / name)}}
                        for name in sorted([*LOCKS.values(), "pyproject.toml", "clients/pyproject.toml"])
                    ),
                ],
            },
            "runDetails": {"builder": {"id": "urn:judge-server:local-build"}},
        },
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _written(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the built distributions are")
    parser.add_argument("base", nargs="?", help="the base of the images by digest")
    given = parser.parse_args()
    folder: Path = given.folder
    try:
        expected = default((ROOT / "Dockerfile").read_text("utf-8"))
        base = None if given.base is None else base_image(given.base, expected)
    except ValueError as fault:
        parser.error(str(fault))
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name, lock in LOCKS.items():
        _written(folder / f"judge-server-{name}.cdx.json", bill(lock))
    _written(folder / "provenance.intoto.json", provenance(folder, head.stdout.strip(), base))


if __name__ == "__main__":
    main()
