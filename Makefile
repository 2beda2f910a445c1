# `make demo` and `make test` require only Python 3.11 or later with venv, make, and, for the lab, Linux and root.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest

.PHONY: help demo test test-long lint unit bench reliability clients release image lock docs man lab-up lab-down clean-lab clean

help: ## show this help
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/ready ## deploy a mirror in the lab and pull through it; CONTEXT=NAME uses your own cluster
	$(BIN)/python -m demo

test: lint unit ## run all tests, including those on the lab's cluster
	LAB_CLIENTS=1 $(BIN)/python -m tests.in_labs -m "lab or contract or helm or browser"

test-long: lint unit ## run all tests with all cases of the long lists
	LAB_CLIENTS=1 REGMIRROR_LONG=1 REGMIRROR_ACL_CASES=10000 $(BIN)/python -m tests.in_labs -m "lab or contract or helm or browser"

lint: .venv/ready ## check style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy regmirror lab demo bench release tests
	$(BIN)/lint-imports

unit: .venv/ready ## run the tests that need no cluster
	$(PYTEST) -n 2 -m "not lab and not contract and not helm and not browser"

bench: .venv/ready ## measure performance; write bench/results and the tables of docs/explanation/performance.md
	$(BIN)/python -m bench
	$(BIN)/python docs/build.py pages

reliability: .venv/ready ## measure all outages and attacks; write docs/explanation/reliability.md
	REGMIRROR_LONG=1 REGMIRROR_RELIABILITY=docs/reliability.json REGMIRROR_ATTACKS=docs/attacks.json \
	  $(BIN)/python -m lab run --up -- $(PYTEST) tests/e2e/test_reliability.py tests/e2e/test_attacks.py
	$(BIN)/python docs/build.py pages

clients: .venv/ready ## run all clients; write docs/clients.json and docs/reference/clients.md
	LAB_CLIENTS=1 REGMIRROR_LONG=1 REGMIRROR_CLIENTS=docs/clients.json \
	  $(BIN)/python -m lab run --up -- $(PYTEST) tests/e2e/test_clients_and_docker_io.py tests/e2e/test_client_config.py
	$(BIN)/python docs/build.py pages

docs: .venv/ready ## write the generated pages, and build the site into site/; a warning is an error
	$(BIN)/python docs/build.py pages
	$(BIN)/python docs/build.py site

man: .venv/ready ## write the man pages, one per command, into build/man
	$(BIN)/python -m regmirror.cli.man_pages build/man

release: .venv/ready ## build packages, charts and checksums of the commit into dist/; SIGNING_KEY=FILE signs them
	$(BIN)/python -m release build $(if $(SIGNING_KEY),--signing-key $(SIGNING_KEY))

image: release ## build the image from this machine's Python into build/image.oci.tar, as the lab has it
	$(BIN)/python -m release image

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade

lock: ## update the pinned dependencies, for development and for users
	$(LOCK) pyproject.toml --group dev -o requirements/development.txt
	$(LOCK) pyproject.toml --constraints requirements/development.txt -o requirements/runtime.txt

lab-up: .venv/ready ## start the lab, a one-node Kubernetes
	$(BIN)/python -m lab up

lab-down: .venv/ready ## stop the lab; keep the programs that it built
	$(BIN)/python -m lab down

clean-lab: lab-down ## stop the lab and remove the programs that it built
	$(BIN)/python -m lab clean

clean: ## remove the virtual environment and build results
	rm -rf .venv build dist site .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/ready: requirements/development.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11: install a newer Python, or set PYTHON=PATH" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/development.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@
