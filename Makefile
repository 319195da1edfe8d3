# Two commands on a fresh machine with Python 3.11+ and make:
#   make demo   installs, then runs the whole product on data it makes itself
#   make test   installs, then lint, types, import contracts and the tests, which build the documentation
# make test-all is make test with what takes longer: all 200 kills, every real clip's heat map
PYTHON ?= python3
BIN := .venv/bin
# threads that spin while they wait are three times slower on a machine that does other work
export OMP_WAIT_POLICY = PASSIVE
# for users: what runs; for developers: also what checks
INSTALLED := .venv/.installed
DEVELOPMENT := .venv/.installed-dev
COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --quiet \
	--python-version 3.11 --no-emit-index-url --custom-compile-command "make lock"

.PHONY: demo test test-all lint types contracts pages docs tests size lock clean

demo: $(INSTALLED)
	$(BIN)/avloc demo demo

test: lint types contracts tests size

test-all: PYTEST_OPTIONS = -m ""
test-all: test

lint: $(DEVELOPMENT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEVELOPMENT)
	$(BIN)/mypy

contracts: $(DEVELOPMENT)
	$(BIN)/lint-imports

# what follows from the code is written into the pages; a test fails where they differ
pages: $(DEVELOPMENT)
	$(BIN)/cog -r -I docs -p "import generated" --verbosity=1 docs/*.md

# into site/; a link that leads nowhere is an error (not with --quiet, which hides warnings from it)
docs: $(DEVELOPMENT)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --site-dir site

# how the tests are shared among processes: tests/conftest.py; each has one thread of its own
tests: export OMP_NUM_THREADS = 1
tests: $(DEVELOPMENT)
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder \
		$(PYTEST_OPTIONS)

# lines, docstrings, median and largest module
size: $(DEVELOPMENT)
	$(BIN)/python tools/size.py

# uv, because its resolver takes torch, torchvision and torchaudio from one index
$(INSTALLED): requirements.lock pyproject.toml | $(BIN)/uv
	$(call install,requirements.lock)
	rm -f $(DEVELOPMENT)
	touch $@

$(DEVELOPMENT): requirements-dev.lock pyproject.toml | $(BIN)/uv
	$(call install,requirements-dev.lock)
	touch $(INSTALLED) $@

define install
$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python $(1)
$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
endef

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "avloc needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is not one of them:" \
		"name one, as in make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv

# the second lock holds the versions of the first, and the tools of `make test`
lock:
	$(COMPILE) --all-extras --output-file requirements-dev.lock
	$(COMPILE) --extra embedded --extra fast --constraint requirements-dev.lock \
		--output-file requirements.lock

clean:
	rm -rf .venv demo artifacts site
