# Needs make, Python 3.11 or newer and a package index. `make help` lists the targets.

VENV ?= .venv
PYTHON ?=
PYTEST_ARGS ?=
WHEELS ?=

bin := $(VENV)/bin
# Made once; made again when pyproject.toml changes.
assess := $(VENV)/.mlgate-assess
dev := $(VENV)/.mlgate-dev
lock := --quiet --universal --python-version 3.11 --generate-hashes --only-binary :all: \
	--no-config --no-annotate --custom-compile-command 'make lock'
environment := PYTHON='$(PYTHON)' sh scripts/environment.sh '$(VENV)'

.DEFAULT_GOAL := help
.PHONY: help demo test check lint lock docs site bench examples clean

help: ## Say what each target does
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

demo: $(assess) ## Gate two example repositories and show both reports
	@'$(bin)/python' examples/demo.py

test: $(dev) ## Run the tests; PYTEST_ARGS='-k pickle' chooses
	@'$(bin)/python' -m pytest $(PYTEST_ARGS)

check: lint site test ## Lint, types, the site and tests: what CI runs

lint: $(dev) ## ruff, mypy, and the linters of workflows, the Action, the Dockerfile and scripts
	@'$(bin)/ruff' check .
	@'$(bin)/ruff' format --check .
	@'$(bin)/mypy'
	@sh scripts/lint_surface.sh '$(bin)'

lock: ## Pin again what the Action installs and what builds a release; needs uv
	@uv pip compile $(lock) --extra assess --output-file scripts/action/requirements.txt pyproject.toml
	@uv pip compile $(lock) --output-file .github/build/requirements.txt .github/build/requirements.in

docs: $(dev) ## Generate the pages on rules, formats and measurements from the modules
	@'$(bin)/mlgate' rules --format markdown > docs/rules.md.new
	@mv docs/rules.md.new docs/rules.md
	@'$(bin)/python' scripts/formats.py > docs/formats.md.new
	@mv docs/formats.md.new docs/formats.md
	@'$(bin)/python' scripts/measurements.py > docs/measurements.md.new
	@mv docs/measurements.md.new docs/measurements.md

site: $(dev) ## Build the documentation into site/; a warning, such as a link that leads nowhere, fails
	@'$(bin)/zensical' build --strict --clean

bench: $(dev) ## Scan real models from PyPI and time the start; WHEELS=DIR saves the downloads
	@'$(bin)/python' benchmarks/startup.py
	@'$(bin)/python' benchmarks/real_models.py $(if $(WHEELS),--wheels '$(WHEELS)')
	@'$(bin)/python' benchmarks/detection.py
	@'$(bin)/python' benchmarks/robustness.py
ifdef ADVISORIES
	@'$(bin)/python' benchmarks/dependencies.py '$(ADVISORIES)'
	@'$(bin)/python' benchmarks/agreement.py '$(ADVISORIES)'
else
	@echo 'The benchmarks of the dependency check need a zip of OSV records: make bench ADVISORIES=FILE'
endif

examples: $(dev) ## Make the examples' models and data again
	@'$(bin)/python' examples/make_examples.py

clean: ## Remove the environment, caches and reports
	rm -rf '$(VENV)' build dist demo-report htmlcov site .cache .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(assess): pyproject.toml
	@test '$(dev)' -nt pyproject.toml && touch '$@' || $(environment) assess

$(dev): pyproject.toml
	@$(environment) dev
