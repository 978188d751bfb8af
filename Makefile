# Two commands: `make run` hears a made-up session, `make test` passes the tests.
# Both make the environment first, the second one more of it; needed are Python 3.11 or later, make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test check bench clean
.DELETE_ON_ERROR:  # half an environment is none

run: $(VENV)/runs
	$(BIN)/streamer demo

test: $(VENV)/installed
	$(BIN)/python -m pytest

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/runs
	$(BIN)/python -m benchmarks.loop

clean:
	rm -rf $(VENV)

$(VENV)/runs: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $(VENV)/runs $@

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV) || { echo "on Debian: sudo apt install python3-venv" >&2; exit 1; }
