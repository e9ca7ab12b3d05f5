# make run: install into .venv and run the main job.  make test: install and run the tests.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
COVERAGE_FLOOR := 65

.PHONY: run test slow thorough lint coverage hooks docs docs-serve reference ui clean

run: $(INSTALLED)
	$(BIN)/bench run task=stance,denial,source-type

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 4 --dist worksteal

slow: $(INSTALLED)
	$(BIN)/python -m pytest -n 4 --dist worksteal -m slow

# All tests with all their cases: more kills, damaged stores, settings of simulations and random examples.
thorough: $(INSTALLED)
	THOROUGH=1 $(BIN)/python -m pytest -n 4 --dist worksteal -m 'slow or not slow'

# The fast tests again, with the lines and branches that they reach; it fails below the floor.
coverage: $(INSTALLED)
	$(BIN)/python -m pytest -n 4 --dist worksteal --cov --cov-report=term --cov-fail-under=$(COVERAGE_FLOOR)

# Checks before every commit: ruff, mypy and codespell.
hooks: $(INSTALLED)
	$(BIN)/pre-commit install

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/lint-imports

docs: $(INSTALLED)
	TQDM_DISABLE=1 $(BIN)/mkdocs build --strict

docs-serve: $(INSTALLED)
	TQDM_DISABLE=1 $(BIN)/mkdocs serve

# The project's own reference: the three tasks with all models that need no endpoint, and the default seed, from nothing.
reference: $(INSTALLED)
	rm -rf results/reference-runs
	$(BIN)/bench models fetch finetune
	$(BIN)/bench run task=stance,denial,source-type search=standard tracking=false results=results/reference-runs
	$(BIN)/bench run task=stance,denial,source-type model=encoder-logreg,zero-shot search=standard tracking=false results=results/reference-runs
	$(BIN)/bench run task=stance,denial,source-type model=finetune search=none execution.cell_timeout=7200 tracking=false \
		results=results/reference-runs
	for task in stance denial source-type; do \
		mkdir -p results/reference/$$task && cp results/reference-runs/$$task/leaderboard.* results/reference/$$task/; \
	done

ui: $(INSTALLED)
	$(BIN)/bench ui

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv .coverage* dist build .mypy_cache .pytest_cache .ruff_cache
