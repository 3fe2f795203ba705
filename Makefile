# Guichet. `make` alone lists the targets; CI calls the same ones.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  if $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)
BIN := .venv/bin
STAMP := .venv/.ready

ITEMS ?= 2000
RATE ?= 0
SEED ?= 7
ROUNDS ?= 7
SECONDS ?= 60
COUNT ?= 10000
FORMATS ?=
KEEP ?= 0

PY := $(BIN)/python
PYTEST := $(PY) -m pytest
CODE := services shared deploy tests

.PHONY: help setup demo up down status logs test check fmt lint types unit contract property integration e2e faults bench bench-formats \
  fuzz fuzz-mutations migration migrate lock documents clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9 -]+:.*## / {printf "  %-28s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with everything the lock names

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (set PYTHON=…)"; exit 1; }
	@test -x $(BIN)/python || { echo "making .venv with $(PYTHON)"; $(PYTHON) -m venv .venv; }
	@awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip sync --require-hashes requirements.lock \
	  || { echo "uv cannot fetch here; trying pip"; $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock; }
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --offline --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP) ## the whole hub on this machine with traffic, then a report (ITEMS=2000 RATE=0 SEED=7 KEEP=1)
	@$(PY) -m services.cli.main demo --items $(ITEMS) --rate $(RATE) --seed $(SEED) $(if $(filter-out 0,$(KEEP)),--keep)

up: $(STAMP) ## start the hub and leave it running, data under var/
	@$(PY) -m deploy.local up

down: $(STAMP) ## stop the hub; data stay
	@$(PY) -m deploy.local down

status: $(STAMP) ## health, lag and addresses of the running hub
	@$(PY) -m services.cli.main status

logs: $(STAMP) ## follow the logs of the running hub
	@$(PY) -m deploy.local logs

test: lint types ## lint, types and all tests but the benchmark
	$(PYTEST) tests --ignore=tests/bench

check: lint types ## all that needs no server: before every push
	$(PYTEST) tests/unit tests/contract tests/property

fmt: $(STAMP) ## put the code in its form
	$(BIN)/ruff check --quiet --fix-only $(CODE)
	$(BIN)/ruff format $(CODE)

lint: $(STAMP) ## form, mistakes and the direction of imports
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/lint-imports

types: $(STAMP) ## mypy
	$(BIN)/mypy

unit contract property: $(STAMP) ## the tests of that folder; they need nothing
	$(PYTEST) tests/$@

integration e2e faults: $(STAMP) ## the tests of that folder, on real Kafka and PostgreSQL
	$(PYTEST) tests/$@

bench: $(STAMP) ## how fast it is here; results in tests/bench/results
	$(PY) -m tests.bench

bench-formats: $(STAMP) ## how fast formats are read and written here, against other readers of the same bytes (ROUNDS=7)
	$(PY) -m tests.bench.formats --rounds $(ROUNDS)

fuzz: $(STAMP) ## each parser under a coverage-guided fuzzer (SECONDS=60 FORMATS="itmatt xfzb")
	@$(PY) -m tests.fuzz --seconds $(SECONDS) $(if $(FORMATS),--formats $(FORMATS))

fuzz-mutations: $(STAMP) ## each parser on thousands of spoiled samples (COUNT=10000 SEED=7 FORMATS="itmatt xfzb")
	@$(PY) -m tests.fuzz.spoil --count $(COUNT) --seed $(SEED) $(if $(FORMATS),--formats $(FORMATS))

migration: $(STAMP) ## an empty migration (m="what changes")
	@test -n "$(m)" || { echo 'say what changes: make migration m="…"'; exit 2; }
	$(BIN)/alembic revision -m "$(m)"

migrate: $(STAMP) ## topics and migrations on the running hub, or on KAFKA_BOOTSTRAP and DATABASE_URL
	@$(PY) -m deploy.local migrate

documents: $(STAMP) ## write what the code knows into README, docs, AsyncAPI and OpenAPI
	$(PY) -m deploy.documents
	$(PY) -m deploy.asyncapi
	$(PY) -m services.ingest.openapi

clean: $(STAMP) ## stop the hub, remove its data and all caches
	@$(PY) -m deploy.local down
	rm -rf var dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

lock: $(STAMP) ## write the lock files anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	  --extra local --extra dev $(UPGRADE) pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	  --constraint requirements.lock pyproject.toml -o requirements-runtime.lock
