# Every target makes the virtual environment first when there is none or when pyproject.toml changed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := carbon_sources schedulers carbonnas
CHECKED := $(SOURCES) tests benchmarks

.PHONY: demo test test-quick check bench format

demo: $(STAMP)
	$(BIN)/carbonnas demo

test: $(STAMP)
	$(BIN)/pytest -n 2 --dist worksteal

test-quick: $(STAMP)
	$(BIN)/pytest -n 2 --dist worksteal -m "not torch"

check: $(STAMP)
	$(BIN)/ruff check $(CHECKED) notebooks
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy $(SOURCES) benchmarks
	$(BIN)/mypy tests
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python benchmarks/startup.py

format: $(STAMP)
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $(STAMP)
