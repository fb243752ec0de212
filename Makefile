# Two commands for everyone: `make demo` and `make test`. Everything lives in .venv.
PYTHON ?= python3
BIN := .venv/bin
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-slow test-faults test-fuzz check audit docs bench bench-full constraints clean

# The stamp is newer than what it was installed from, so the second call costs nothing.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cloudfree needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: .venv/installed
	PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh demo

# One process per core, at most four: each takes up to 2 GB. A process that has no tests left takes
# some of another's, so that most fixtures of a file are still made once.
test: .venv/installed
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal

test-slow: .venv/installed
	$(BIN)/python -m pytest -m slow --ignore tests/faults --ignore tests/fuzz

# Kills, starves and disturbs whole commands at hundreds of moments, and prints what it counted; one
# test may take longer than the limit of the others.
test-faults: .venv/installed
	$(BIN)/python -m pytest tests/faults -m slow -o faulthandler_timeout=0

# Gives thousands of damaged files of every format to the commands that read them, and prints what
# became of them; half an hour.
test-fuzz: .venv/installed
	$(BIN)/python -m pytest tests/fuzz -m slow

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Known holes in the pinned libraries. Exits with 1 if there are any, 3 if PyPI could not be asked.
# pip-audit has an environment of its own: what it needs is not pinned here.
audit: .venv/installed
	-test -x .venv/audit/bin/pip-audit || { $(PYTHON) -m venv .venv/audit && PIP_CONSTRAINT= .venv/audit/bin/pip install --quiet pip-audit; }
	$(BIN)/python packaging/audit.py --pip-audit .venv/audit/bin/pip-audit

# Builds the documentation site into site/; a broken link or a page without a place ends it.
docs: .venv/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev,docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: .venv/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev,bench]'
	$(BIN)/python -m pytest tests/bench -m bench
	$(BIN)/python -m tests.bench.full_scene --short

# A full tile of 10980 x 10980 pixels; takes an hour on two cores.
bench-full: .venv/installed
	$(BIN)/python -m tests.bench.full_scene

# Pins every direct and indirect dependency for every platform at once, and onnxruntime, which an
# installation for a CPU takes in place of onnxruntime-gpu; needs uv.
constraints:
	echo onnxruntime | uv pip compile --universal --python-version 3.11 --all-extras pyproject.toml - --no-header --no-annotate -o constraints.txt

clean:
	rm -rf .venv demo site
