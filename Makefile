# Two commands: `make run` hears a made-up session, `make test` passes the tests.
# Both make the environment first, the second one more of it; needed are Python 3.11 or later, make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
QUICK := tests/learners tests/query tests/store tests/loop/test_session.py tests/test_config.py \
	tests/test_events.py tests/test_imports.py tests/test_documents.py

.PHONY: run test quick check docs bench clean
.DELETE_ON_ERROR:  # half an environment is none

run: $(VENV)/runs
	$(BIN)/streamer demo

test: $(VENV)/installed
	$(BIN)/python -m pytest

# What tells most in the shortest time: learners, strategies, flow, command line, documents.
quick: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/python -m pytest $(QUICK)

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/runs
	$(BIN)/python -m benchmarks.loop

clean:
	rm -rf $(VENV) site

$(VENV)/runs: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $(VENV)/runs $@

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV) || { echo "on Debian: sudo apt install python3-venv" >&2; exit 1; }
