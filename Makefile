# Mingzhang. `make` alone says what there is to do; every target sets up what it needs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

BIN := .venv/bin
WORKERS ?= 2
SERVE ?= 1
FUZZ_SECONDS ?= 300
ARGS ?=

.PHONY: help
help: ## Say what each target does
	@printf 'make <target>   (ARGS="…" is handed on to test and bench)\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## Make .venv from the lock file (does nothing when it is current)
	@ops/setup_venv.sh

.PHONY: demo
demo: setup ## Found an organisation, record its year, prove it, tamper with it, serve it (SERVE=0: stop there)
	@SERVE=$(SERVE) $(BIN)/python -m ops.demo

.PHONY: test
test: setup ## Run all tests, the faults included (ARGS="-k name", WORKERS=2)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: fuzz
fuzz: setup ## Fuzz every parser, FUZZ_SECONDS a target (300), of all or some (ARGS="note vkey")
	@$(BIN)/python -m tests.fuzz.run $(FUZZ_SECONDS) $(ARGS)

.PHONY: lint
lint: setup ## Check style, types and the floors of the house
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports

.PHONY: format
format: setup ## Rewrite the code in the project's format
	@$(BIN)/python -m ruff check --fix-only .
	@$(BIN)/python -m ruff format .

.PHONY: bench
bench: setup ## Measure speed against the plain library on the same PostgreSQL
	@$(BIN)/python -m ops.bench $(ARGS)

.PHONY: lock
lock: setup ## Lock the newest allowed versions again (needs uv)
	@uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --output-file requirements.lock
	@uv pip compile pyproject.toml --group dev --constraint requirements.lock --quiet --upgrade \
	  --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --output-file requirements-dev.lock

.PHONY: clean
clean: ## Remove what the targets made: .venv, var, caches
	@rm -rf .venv var .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
