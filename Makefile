# Two commands are all it takes: `make lab` and `make test`. What fails says in a line what to do.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROXY := build/node_modules/.bin/configurable-http-proxy
LAB_ARGS ?=
PRESENT_ARGS ?=
MATRIX_ARGS ?=
BOOK_ARGS ?=

# TORCH=cpu takes PyTorch's own build without GPU: about 1.3 GB instead of 6. An environment keeps what it began with.
# (Not testable where that index cannot be reached: installed there with the two versions of constraints.txt.)
CPU_INDEX := https://download.pytorch.org/whl/cpu
HAS := $(if $(wildcard $(VENV)/lib/*/site-packages/torch-*+cpu.dist-info),cpu,full)
ifneq ($(wildcard $(VENV)/lab.stamp),)
ifeq ($(filter clean,$(MAKECMDGOALS)),)
ifneq ($(or $(TORCH),$(HAS)),$(HAS))
$(info $(VENV) keeps its $(HAS) PyTorch; for another: make clean lab TORCH=$(TORCH))
endif
override TORCH := $(HAS)
endif
endif

.DEFAULT_GOAL := help
.PHONY: help lab present doctor test quick sweep matrix mutants bench notebooks results book wheel lint clean working-python

help: ## list these commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

lab: $(VENV)/lab.stamp ## install what is needed and open JupyterLab on the first notebook
	@echo "Opening notebooks/00_start_here.ipynb in JupyterLab (stop it with Ctrl-C)"
	@$(BIN)/python lecture_viz/machine lab notebooks/00_start_here.ipynb $(LAB_ARGS)

present: $(VENV)/lab.stamp ## show the lessons' panels full-screen, for the lecture hall
	@$(BIN)/python -m lecture_viz.presenter notebooks $(PRESENT_ARGS)

doctor: ## is this machine ready? what is missing, and what mends it
	@test -x $(BIN)/python || { echo "There is no environment yet: make lab sets it up" >&2; exit 1; }
	@$(BIN)/python lecture_viz/machine check

test: lint $(PROXY) ## lint, unit, real-browser and notebook tests
	$(BIN)/python -m pytest tests notebooks --ignore=notebooks/zh -m "not sweep"

quick: lint ## lint and the unit tests that take no browser, no hub, no training, and no seconds
	$(BIN)/python -m pytest tests -m "not browser and not hub and not training and not sweep and not notebook and not long"

sweep: $(VENV)/test.stamp ## the long tests: every member of a family of which make test takes one
	$(BIN)/python -m pytest tests -m sweep

matrix: $(VENV)/test.stamp ## notebooks and tests with 1 to 4 threads and other instructions of the processor
	$(BIN)/python tests/matrix.py $(MATRIX_ARGS)

mutants: $(VENV)/test.stamp ## how many small errors, put into the package, do the tests notice?
	$(BIN)/python tests/mutants.py

lint: $(VENV)/test.stamp ## code style of package, tests and notebooks, and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/bench.stamp $(PROXY) ## measure against peers and with a class; writes benchmarks/RESULTS.md, CLASSROOM.md
	$(BIN)/python -m benchmarks
	@test -x $(PROXY) || { echo "The class was not measured: that takes npm, which comes with Node.js" >&2; exit 1; }
	$(BIN)/python -m benchmarks.classroom

notebooks: $(VENV)/test.stamp ## run all notebooks and store their outputs
	$(BIN)/python notebooks/store.py

results: $(VENV)/test.stamp ## the same, after making anew the pictures that take long
	$(BIN)/python notebooks/store.py --results

book: $(VENV)/book.stamp ## the lessons as a site in both languages: build/book/index.html; the first time takes a while
	$(BIN)/python book/publish.py $(BOOK_ARGS)

wheel: $(VENV)/lab.stamp ## one file to hand out, with networks and notebooks: dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls dist/*.whl

clean: ## remove the environment
	rm -rf $(VENV)

# An environment half made, or whose Python is gone since, is made anew.
working-python:
	@$(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	        echo "$(PYTHON) is missing, or older than 3.11. Say another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }; \
	    $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	        echo "$(PYTHON) has no venv. On Debian and Ubuntu: sudo apt install python3-venv; then the same again"; exit 1; }; \
	    $(PYTHON) -m venv --clear $(VENV) || { \
	        echo "No environment could be made in $(VENV): is this folder yours, and is there room?"; exit 1; }; } >&2

# $(call install,what): by uv, in a fraction of pip's time; where uv cannot (an index that only pip's settings know), by
# pip. What they say goes to a file, the first of pip's errors and what to do to the terminal. Downloads go to the
# environment until all is installed: /tmp may be small, and in memory, and a home have a quota, or be closed.
define install
	@mkdir -p $(VENV)/tmp; export TMPDIR="$$PWD/$(VENV)/tmp" UV_CACHE_DIR="$$PWD/$(VENV)/tmp/uv"; \
	$(BIN)/python -m pip install uv >$(VENV)/pip.log 2>&1 && \
	    $(BIN)/python -m uv pip install --python $(BIN)/python --compile-bytecode $(1) >>$(VENV)/pip.log 2>&1 || \
	    $(BIN)/python -m pip install $(1) >>$(VENV)/pip.log 2>&1 || { \
	    grep -m 1 'ERROR: ' $(VENV)/pip.log; \
	    echo "pip could not install (all it said: $(VENV)/pip.log). It takes a network and about 6 GB free,"; \
	    echo "1.3 GB with TORCH=cpu; then type the same command again."; exit 1; } >&2
	@rm -rf $(VENV)/tmp
endef

$(VENV)/lab.stamp: pyproject.toml constraints.txt | working-python
	@echo "Setting up $(VENV): the first time takes a few minutes and about $(if $(filter cpu,$(TORCH)),1.3,6) GB, most of it PyTorch"
	$(if $(filter cpu,$(TORCH)),$(call install,--no-deps --index-url $(CPU_INDEX) $(shell grep -E '^torch(vision)?==' constraints.txt)))
	$(call install,--constraint constraints.txt --editable .)
	@touch $@

$(VENV)/test.stamp: $(VENV)/lab.stamp
	@echo "Adding what the tests need"
	$(call install,--constraint constraints.txt --editable '.[test]')
	@touch $@

$(VENV)/book.stamp: $(VENV)/lab.stamp
	@echo "Adding what makes the book"
	$(call install,--constraint constraints.txt --editable '.[book]')
	@touch $@

$(VENV)/bench.stamp: $(VENV)/test.stamp
	@echo "Adding the peers we measure against"
	$(call install,--constraint constraints.txt --editable '.[test,bench]')
	@touch $@

# The proxy of JupyterHub, for a class on this machine. Without it all the rest can still be tried.
$(PROXY):
	@npm install --silent --prefix build --cache build/npm --fetch-retry-mintimeout=1000 \
	    configurable-http-proxy@5 >/dev/null 2>&1 || \
	    echo "The hub's tests will be skipped: their proxy takes npm, which comes with Node.js, and a network"
