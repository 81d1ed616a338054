# `make scan` shows what dedup does, `make test` proves that it works here, `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip -qq --disable-pip-version-check install
# Files of tests run side by side, as many as there are cores.
ABREAST := -n auto --dist loadfile
# Where the native kernel could not be built its tests skip themselves, and all others run on the Python kernel.
PYTEST := ls dedup/kernel/_native.*.so > /dev/null 2>&1 \
    || export DEDUP_KERNEL=python PYTEST_ADDOPTS=--doctest-ignore-import-errors; $(BIN)/python -m pytest
SOURCES := setup.cfg setup.py pyproject.toml $(wildcard dedup/kernel/*.cpp dedup/kernel/*.hpp)

.PHONY: help scan test check format lint types copies quality benchmark sanitize build clean
.DELETE_ON_ERROR:

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

scan: $(VENV)/installed  ## install dedup into .venv and scan the articles in seeds/
	@$(BIN)/dedup scan seeds/*.txt

test: $(VENV)/equipped  ## run all tests but those that need large corpora
	@$(PYTEST) $(ABREAST) -m "not quality" tests dedup benchmarks --ignore benchmarks/rivals

check: lint types  ## format, lint, types, layering and the fast tests
	@$(PYTEST) $(ABREAST) -m "not quality and not slow" tests dedup --ignore tests/quality

format: $(VENV)/equipped  ## put the code in order
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

lint: $(VENV)/equipped  ## format and lint
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/ruff check --quiet .

types: $(VENV)/equipped  ## type check
	@$(BIN)/mypy

copies: $(VENV)/equipped  ## fail when the documentation or the seeds repeat something new
	@$(BIN)/dedup check

quality: $(VENV)/equipped  ## hold recall and precision to their floors, on ../shared/data where it is
	@$(PYTEST) tests/quality

benchmark: $(VENV)/equipped  ## measure dedup beside other libraries; options in ARGS
	@$(BIN)/python -m benchmarks $(ARGS)

sanitize: $(VENV)/equipped  ## run the kernel tests under the address, undefined-behaviour and thread sanitizers
	@PYTHON="$(CURDIR)/$(BIN)/python" sh tests/sanitize/run.sh

build: $(VENV)/equipped  ## make dist/*.tar.gz and dist/*.whl
	@$(BIN)/python -m build --outdir dist . > $(VENV)/build.log 2>&1 || { cat $(VENV)/build.log >&2; exit 1; }

clean:  ## remove everything that was made here
	@rm -rf $(VENV) build dist *.egg-info dedup/kernel/_native.*.so dedup/kernel/_native.*.pyd
	@rm -rf .dedup_cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find dedup tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the environment: made once, brought up to date when the metadata or the kernel's sources change ----------

$(VENV)/made:
	@command -v $(PYTHON) > /dev/null || { echo "$(PYTHON) was not found; dedup needs Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "dedup needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) -V 2>&1`." \
	        "Name another one: make scan PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/made $(SOURCES)
	@echo "installing dedup into $(VENV) (once)" >&2
	@rm -f dedup/kernel/_native.*.so
	@$(PIP_INSTALL) --editable .
	@DEDUP_KERNEL=native $(BIN)/dedup --version > /dev/null 2>&1 || \
	    echo "dedup: the native kernel was not built (it needs a C++17 compiler and Python's headers);" \
	        "the slow Python kernel gives the same results" >&2
	@touch $@

$(VENV)/equipped: $(VENV)/installed
	@echo "installing the tools for development into $(VENV) (once)" >&2
	@$(BIN)/python -c 'import configparser as c; p = c.ConfigParser(); p.read("setup.cfg"); \
	    print(p["options.extras_require"]["dev"])' > $(VENV)/dev.txt
	@$(PIP_INSTALL) --requirement $(VENV)/dev.txt
	@touch $@
