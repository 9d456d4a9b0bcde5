import re

import pytest

from deploy.dockerfile import exec_form, last, lineage, read
from deploy.prove_dockerfile import prove
from tests.project.repository import ROOT

STAGES = read(ROOT / "Dockerfile")


def test_a_plain_build_makes_the_image_with_the_engine():
    assert list(STAGES)[-1] == "cuda"


@pytest.mark.parametrize("target", ["slim", "cuda"])
def test_the_image_runs_as_nobody_in_particular_and_hears_signals(target):
    steps = lineage(STAGES, target)
    assert last(steps, "USER") == "10001"  # a number: a cluster can see that it is not root
    assert steps[-1].keyword == "USER"
    assert exec_form(last(steps, "ENTRYPOINT")) == ["judge-server"]
    assert exec_form(last(steps, "CMD"))[0] == "serve"
    assert "/healthz" in last(steps, "HEALTHCHECK")
    assert exec_form(last(steps, "HEALTHCHECK"))[0] == "bash"  # it starts no Python every ten seconds
    assert "org.opencontainers.image.licenses" in last(steps, "LABEL")


def test_the_images_are_built_by_the_same_uv_as_the_environment():
    version = re.search(r"^UV_VERSION := (\S+)", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert f"uv=={version[1]}" in STAGES["build"].instructions[0].value


def test_everything_the_build_copies_is_let_through_to_it():
    let_through = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(encoding="utf-8"), flags=re.MULTILINE))
    copies = [
        step.value.split()[:-1]
        for stage in ("build", "slim-environment", "cuda-environment")
        for step in STAGES[stage].instructions
        if step.keyword == "COPY"
    ]
    assert {source for sources in copies for source in sources} == let_through


@pytest.mark.parametrize("stage", ["slim-environment", "cuda-environment"])
def test_an_edit_of_the_code_installs_no_locked_package_anew(stage):
    steps = [step.value for step in STAGES[stage].instructions]
    locked = next(place for place, step in enumerate(steps) if "--require-hashes" in step)
    assert locked < steps.index("judge_server judge_server")


@pytest.mark.timeout(600)
def test_the_slim_image_builds_gets_healthy_and_stops_when_told():
    prove("slim", rehearse=False)


@pytest.mark.timeout(600)
def test_the_packages_of_the_cuda_image_resolve_and_match_their_hashes():
    prove("cuda", rehearse=True)
