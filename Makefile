# Every target makes the virtual environment first when there is none or when pyproject.toml changed.
PYTHON ?= python3
VENV ?= .venv
# One more than the cores of a small machine: some tests wait for the processes that they start.
JOBS ?= 3
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
PYTEST := $(BIN)/pytest -n $(JOBS) --dist worksteal
SOURCES := carbon_sources schedulers carbonnas
FORMATTED := $(SOURCES) tests benchmarks notebooks

# The tests start many processes; each starts faster when modules are compiled once.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-quick fuzz laws check bench format

demo: $(INSTALLED)
	$(BIN)/carbonnas demo

test: $(INSTALLED_DEV)
	$(PYTEST)

test-quick: $(INSTALLED_DEV)
	$(PYTEST) -m "not torch and not slow and not browser"

fuzz: $(INSTALLED_DEV)
	CARBONNAS_FUZZ=100000 $(PYTEST) tests/carbon_sources/test_fuzzed_answers.py

laws: $(INSTALLED_DEV)
	CARBONNAS_EXAMPLES=searching $(PYTEST) -m hypothesis

check: $(INSTALLED_DEV)
	$(BIN)/ruff check $(FORMATTED)
	$(BIN)/ruff format --check $(FORMATTED)
	$(BIN)/mypy $(SOURCES) benchmarks
	$(BIN)/mypy tests
	$(BIN)/lint-imports

bench: $(INSTALLED_DEV)
	$(BIN)/python benchmarks/startup.py

format: $(INSTALLED_DEV)
	$(BIN)/ruff check --fix $(FORMATTED)
	$(BIN)/ruff format $(FORMATTED)

# The demo needs no development tools, so they are a second step with a stamp of its own.
$(INSTALLED): pyproject.toml
	@echo "Installing into $(VENV); torch is large, this takes a minute or more ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(INSTALLED_DEV): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@
