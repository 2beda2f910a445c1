# Everything that this repository offers, as one word each. `make demo` and `make test` need nothing installed but
# Python 3.11+ (with venv), make, and, for the lab, Linux and root.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest

.PHONY: help demo test test-long lint unit bench reliability lock docs man lab-up lab-down clean-lab clean

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/ready ## from nothing to a mirror that serves; CONTEXT=NAME uses a cluster of yours
	$(BIN)/python -m demo

test: lint unit ## all tests, those on the lab's cluster included
	$(BIN)/python -m lab run --up --if-possible -- $(PYTEST) -m "lab or contract or helm"

test-long: lint unit ## the same, with the long lists of cases in full
	REGMIRROR_LONG=1 REGMIRROR_ACL_CASES=10000 \
	  $(BIN)/python -m lab run --up --if-possible -- $(PYTEST) -m "lab or contract or helm"

lint: .venv/ready ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy regmirror lab demo bench tests
	$(BIN)/lint-imports

unit: .venv/ready ## the tests that need no cluster
	$(PYTEST) -n 2 -m "not lab and not contract and not helm"

bench: .venv/ready ## measure; figures go to bench/results
	$(BIN)/python -m bench

reliability: .venv/ready ## break what a mirror needs, measure, and write docs/explanation/reliability.md
	REGMIRROR_LONG=1 REGMIRROR_RELIABILITY=docs/reliability.json \
	  $(BIN)/python -m lab run --up -- $(PYTEST) tests/e2e/test_reliability.py
	$(BIN)/python docs/generate_reliability.py > docs/explanation/reliability.md

docs: .venv/ready ## write the documentation that is made from the code
	$(BIN)/python docs/generate_configuration.py > docs/reference/configuration.md
	$(BIN)/python docs/generate_reliability.py > docs/explanation/reliability.md

man: .venv/ready ## write the man pages, one per command, into build/man
	$(BIN)/python -m regmirror.cli.man_pages build/man

lock: ## resolve the dependencies anew, within the bounds of pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --upgrade pyproject.toml --group dev -o requirements/development.txt

lab-up: .venv/ready ## start the lab: a one-node Kubernetes of its own
	$(BIN)/python -m lab up

lab-down: .venv/ready ## stop it; leaves nothing but the cache of built programs
	$(BIN)/python -m lab down

clean-lab: lab-down ## stop the lab and forget what it built
	$(BIN)/python -m lab clean

clean: ## forget the virtual environment and everything built
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/ready: requirements/development.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11: install a newer Python, or name one by PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/development.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@
