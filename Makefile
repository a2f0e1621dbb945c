# Two commands are all it takes: `make lab` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROXY := build/node_modules/.bin/configurable-http-proxy
LAB_ARGS ?=
PRESENT_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help lab present test bench notebooks lint clean

help: ## list these commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

lab: $(VENV)/lab.stamp ## install what is needed and open JupyterLab on the first notebook
	@echo "Opening notebooks/00_start_here.ipynb in JupyterLab (stop it with Ctrl-C)"
	$(BIN)/jupyter lab notebooks/00_start_here.ipynb $(LAB_ARGS)

present: $(VENV)/lab.stamp ## show the lessons' panels full-screen, for the lecture hall
	$(BIN)/python -m lecture_viz.presenter notebooks $(PRESENT_ARGS)

test: lint ## lint, unit, real-browser and notebook tests
	$(BIN)/python -m pytest tests
	$(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=120 -p no:cacheprovider notebooks

lint: $(VENV)/test.stamp ## code style of the package, the tests and the notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/bench.stamp $(PROXY) ## measure against peers and with a class; writes benchmarks/RESULTS.md, CLASSROOM.md
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.classroom

notebooks: $(VENV)/test.stamp ## run all notebooks and store their outputs
	$(BIN)/python notebooks/store.py

clean: ## remove the environment
	rm -rf $(VENV)

$(VENV)/lab.stamp: pyproject.toml constraints.txt
	@echo "Setting up $(VENV): the first time takes a few minutes and about 6 GB, most of it PyTorch"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/test.stamp: $(VENV)/lab.stamp
	@echo "Adding what the tests need"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@

$(VENV)/bench.stamp: $(VENV)/test.stamp
	@echo "Adding the peers we measure against"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,bench]'
	@touch $@

$(PROXY): ## the proxy of JupyterHub, for a class on this machine; npm comes with Node.js
	npm install --silent --prefix build configurable-http-proxy@5
