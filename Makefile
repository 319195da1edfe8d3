# Two commands on a fresh machine with Python 3.11+ and make:
#   make demo   installs, then runs the whole product on data it makes itself
#   make test   installs, then lint, types, import contracts, the documentation and the tests
# make test-all is make test with what takes longer: all 200 kills, every real clip's heat map
PYTHON ?= python3
BIN := .venv/bin
# threads that spin while they wait are three times slower on a machine that does other work
export OMP_WAIT_POLICY = PASSIVE
INSTALLED := .venv/.installed

.PHONY: demo test test-all lint types contracts docs tests lock clean

demo: $(INSTALLED)
	$(BIN)/avloc demo demo

test: lint types contracts docs tests

test-all: PYTEST_OPTIONS = -m ""
test-all: test

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

contracts: $(INSTALLED)
	$(BIN)/lint-imports

# into site/; a link that leads nowhere, or a name that is not there, is an error
docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet --site-dir site

# the site that `docs` has built is read by the tests; how they are shared out: tests/conftest.py
tests: $(INSTALLED) docs
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder \
		$(PYTEST_OPTIONS)

# uv, because its resolver takes torch, torchvision and torchaudio from one index
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "avloc needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is not one of them:" \
		"name one, as in make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

lock:
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes \
		--python-version 3.11 --no-emit-index-url --custom-compile-command "make lock" \
		--output-file requirements.lock --quiet

clean:
	rm -rf .venv demo artifacts site
