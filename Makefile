# Every target says what it does: `make help`.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
# Python keeps what it compiled, also where the surroundings forbid it: else each process and each
# worker of the tests compiles thousands of modules anew, for seconds.
export PYTHONDONTWRITEBYTECODE :=

# ---------------------------------------------------------------- set-up
$(BIN)/uv: requirements/uv.txt
	@echo "==> creating the virtual environment in $(VENV) with $(PYTHON)"
	@for python in $(PYTHON) $(wildcard $(BIN)/python); do $$python -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else f"Python 3.11 is needed, found {sys.version.split()[0]} as {sys.executable}: set PYTHON=/path/to/python3.11 (and remove a $(VENV) of another one)")' || exit 1; done
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.demo: $(BIN)/uv requirements/demo.txt
	@echo "==> installing what the demo needs (services, MLServer, embedded Kafka; about 600 MB, once)"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --require-hashes -r requirements/demo.txt
	@test -n "$$KAFKA_BOOTSTRAP_SERVERS" || $(BIN)/python -m local jars
	@touch $@

$(VENV)/.dev: $(VENV)/.demo requirements/dev.txt
	@echo "==> installing the test and lint tools"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.demo ## run everything here, no container: RECORDING=path SPEED=20 DURATION=60, or FEED=coinbase
	@$(BIN)/python -m local demo

# One worker for each core, four at most; tests that share what is dear to make share a worker.
PYTEST := $(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadscope --no-loadscope-reorder

LINTERS := lint-black lint-ruff lint-mypy lint-imports
SIDE_BY_SIDE := $(MAKE) --no-print-directory --keep-going --jobs=4

.PHONY: check
check: $(VENV)/.dev ## style, types and every quick test that needs no broker and no process: for each change
	@$(SIDE_BY_SIDE) unit $(LINTERS)

.PHONY: unit
unit: $(VENV)/.dev # a worker more than cores, as some tests wait for a deadline
	@$(PYTEST) --numprocesses=$$(( $$(nproc) + 1 )) -q -m "not kafka and not process and not exhaustive"

.PHONY: test
test: $(VENV)/.dev ## set up and run all the tests that need no container
	@$(PYTEST)

.PHONY: lint $(LINTERS)
lint: $(VENV)/.dev ## style, types and who may import whom
	@$(SIDE_BY_SIDE) $(LINTERS)
# Black looks into its cache only where it draws no diff.
lint-black:
	@$(BIN)/black --quiet --check . || $(BIN)/black --quiet --check --diff .
lint-ruff:
	@$(BIN)/ruff check --quiet .
lint-mypy:
	@$(BIN)/mypy
lint-imports:
	@$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.dev ## bring the code into shape (Black, Ruff)
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/black --quiet .

$(VENV)/.training: $(VENV)/.demo requirements/ml.txt
	@echo "==> installing what training needs (MLflow, plots, Parquet)"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --require-hashes -r requirements/ml.txt
	@touch $@

.PHONY: train
train: $(VENV)/.training ## recordings to a chosen, logged model with a report: DATA=folder [PROMOTE=1]
	@$(BIN)/python -m training train --data "$(or $(DATA),$(error say where the captures are: make train DATA=path))"
	@test -z "$(PROMOTE)" || { $(BIN)/python -m promotion promote && $(BIN)/python manifests/chart_files.py; }

include $(sort $(wildcard make/*.mk))

.PHONY: docs
docs: $(VENV)/.dev ## write what follows from the code: settings, metrics, the table of features, scrape jobs, the chart's schema and files
	@PYTHONPATH=. $(BIN)/python docs/reference.py
	@PYTHONPATH=. $(BIN)/python docs/lists.py
	@$(BIN)/python manifests/chart_files.py

.PHONY: lock
lock: $(BIN)/uv ## resolve the hashed requirement files anew
	@U="$(BIN)/uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q pyproject.toml"; \
	$$U --extra ml --extra local --extra training --extra dask --extra drift --extra kubernetes --extra dev -o requirements/dev.txt && \
	$$U --extra ml --extra local -c requirements/dev.txt -o requirements/demo.txt && \
	$$U --extra ml --extra training --extra drift --extra kubernetes -c requirements/dev.txt -o requirements/ml.txt && \
	$$U -c requirements/dev.txt -o requirements/stream.txt && \
	$$U --extra page -c requirements/dev.txt -o requirements/page.txt

.PHONY: clean
clean: ## remove the environment, caches and what a demo left; trained runs, MLflow and kept models stay in .run
	@test ! -e .run/demo || test -e .run/demo/.crypto-volatility-demo || { echo ".run/demo is not the demo's: nothing is removed"; exit 1; }
	@rm -rf $(VENV) .run/demo .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
