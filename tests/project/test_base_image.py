"""A released image stands on a base by digest; where none can be known, Dockerfile and release say so."""

import os
import subprocess

import pytest

from deploy.base_image import base_image, default
from deploy.bill_of_materials import provenance
from tests.project.repository import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
TAG = default(DOCKERFILE)
DIGEST = "0123456789abcdef" * 4


def made(target: str, *words: str) -> "subprocess.CompletedProcess[str]":
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--no-print-directory", target, "--assume-old=install", *words]
    return subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True, check=False)


def test_the_dockerfile_names_a_digest_or_is_marked_for_the_release():
    assert "@sha256:" in TAG or "# RELEASE: the base by its digest" in DOCKERFILE


def test_a_base_by_digest_is_read_with_its_registry():
    assert base_image(f"{TAG}@sha256:{DIGEST}", TAG) == (TAG, DIGEST)
    assert base_image(f"registry.example:5000/library/{TAG}@sha256:{DIGEST}", TAG).name.endswith(f"/library/{TAG}")


@pytest.mark.parametrize(
    "given",
    ["", TAG, f"{TAG}@sha256:", f"{TAG}@sha256:{DIGEST[1:]}", f"{TAG}@sha256:{DIGEST}0", f"{TAG}@sha1:{DIGEST[:40]}"],
)
def test_a_release_refuses_a_base_without_a_whole_digest(given):
    with pytest.raises(ValueError, match="by tag and digest"):
        base_image(given, TAG)


def test_a_release_refuses_another_base_than_the_tested_one():
    with pytest.raises(ValueError, match="which is what the image is tested with"):
        base_image(f"python:3.9-slim@sha256:{DIGEST}", TAG)


@pytest.mark.parametrize("words", [(), (f"BASE_IMAGE={TAG}",)])
def test_make_image_ends_before_it_builds_on_a_tag(words):
    done = made("image", *words)
    assert done.returncode != 0
    assert "base image:" in done.stderr
    assert "docker build" not in done.stdout


def test_make_image_builds_on_the_digest_and_labels_the_image_with_it():
    base = f"{TAG}@sha256:{DIGEST}"
    commands = made("image", "--dry-run", f"BASE_IMAGE={base}", "TARGET=cuda").stdout
    label = f"--label org.opencontainers.image.base.name={base}"
    assert f"--target cuda --build-arg PYTHON_IMAGE={base} {label}" in commands


def test_the_provenance_names_the_base_or_that_no_image_is_released(tmp_path):
    (tmp_path / "a-1-py3-none-any.whl").write_bytes(b"wheel")
    base = base_image(f"{TAG}@sha256:{DIGEST}", TAG)
    based, alone = (provenance(tmp_path, "f" * 40, one)["predicate"]["buildDefinition"] for one in (base, None))
    assert {"name": TAG, "digest": {"sha256": DIGEST}} in based["resolvedDependencies"]
    assert alone["externalParameters"]["images"].startswith("none")
