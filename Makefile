# The words to know are printed by `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
STAMP := $(VENV)/.installed-$(shell cat requirements-dev.lock pyproject.toml 2>/dev/null | cksum | cut -d' ' -f1)

.PHONY: help env demo up test test-kafka test-browser check format contracts bench lock clean

help: ## Print the words to know
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Fenghuo needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@rm -f $(VENV)/.installed-*
	@touch $@

env: $(STAMP) ## Build the environment from the lock file

demo: env ## Start everything, play a scenario, show the board (Ctrl-C ends it)
	@$(BIN)/fenghuo demo

up: env ## Start everything and keep it running, without a scenario
	@$(BIN)/fenghuo up

test: env ## Run the tests (PostgreSQL and broker from wheels)
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "not kafka and not browser" --ignore tests/e2e tests
	@$(BIN)/python -m pytest -q -m "not kafka" tests/e2e

test-kafka: env ## Run the integration and end-to-end tests on Apache Kafka (needs Java 17 and Maven)
	@FENGHUO_TEST_KAFKA=apache $(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "not browser" tests/integration
	@FENGHUO_TEST_KAFKA=apache $(BIN)/python -m pytest -q tests/e2e

test-browser: env ## Open the console in Chromium
	@$(BIN)/python -m pytest -q -m browser tests/browser

check: env ## Format, lint, types, imports, plans and contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m shared.contracts.generate --check
	@$(BIN)/python -m services.openapi --check
	@$(BIN)/python -m shared.plans.schema --check
	@$(BIN)/fenghuo plans lint
	@$(BIN)/fenghuo plans test
	@$(BIN)/fenghuo plans coverage --check

format: env ## Put the code in its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

contracts: env ## Write schemas, AsyncAPI and OpenAPI anew
	@$(BIN)/python -m shared.contracts.generate
	@$(BIN)/python -m services.openapi
	@$(BIN)/python -m shared.plans.schema

bench: env ## Measure the line and the timers on this machine and write bench/results/
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench.pages
	@$(BIN)/python -m tests.bench.acknowledgement
	@$(BIN)/python -m tests.bench.classification
	@$(BIN)/python -m tests.bench.calendars
	@$(BIN)/python -m tests.bench.timers --armed 1000000 5000000

lock: ## Resolve the dependencies anew into the lock files
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra embedded --extra tracing --group dev pyproject.toml -o requirements-dev.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra tracing pyproject.toml -c requirements-dev.lock -o requirements.lock

clean: ## Remove the environment and the demo's data
	@rm -rf $(VENV) .fenghuo
