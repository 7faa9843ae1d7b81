# The commands of this project; `make help` lists them. Each does all of its own set-up.
PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8000
ARGS   ?=
JOBS   ?= auto

bin     := $(abspath $(VENV))/bin
pip     := $(bin)/python -m pip install --quiet --disable-pip-version-check
sources := cgikit tests benchmarks examples

.PHONY: help demo gallery tutorial test checkers programs lint docs docs-serve life trace-sample man mutants reuse-outcomes bench bench-gateways servers torture release clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    serve examples/cgi-bin on loopback until Ctrl-C (PORT=$(PORT))"
	@echo "make gallery put the style into the scripts of the gallery, take pictures (ARGS='--out DIR poll')"
	@echo "make tutorial  bring the tutorial's pages up to date with its scripts, take pictures (ARGS=4-pages)"
	@echo "make test    run the tests (ARGS='-k cookies' to choose; CGIKIT_REQUIRE=all: no skips;"
	@echo "             JOBS=0: in one process, as a debugger needs it)"
	@echo "make checkers install what judges pages in the tests: axe, the Nu Html Checker (needs npm)"
	@echo "make lint    ruff, the formatting and mypy --strict"
	@echo "make docs    make the documentation a site: .site/index.html"
	@echo "make docs-serve  show it on loopback until Ctrl-C (PORT=$(PORT))"
	@echo "make life    measure a request step by step for docs/understand/life-of-a-request.md"
	@echo "make trace-sample  renew the trace that docs/reference/trace.md shows (on an idle machine)"
	@echo "make man     write docs/man/cgikit.1, of the parsers of the commands"
	@echo "make mutants change the core in one place at a time: do its tests notice? (half an hour)"
	@echo "make reuse-outcomes   serve leaky scripts with --reuse, count what becomes of them"
	@echo "make programs fetch old programs, whose tests are run with cgikit.compat"
	@echo "make bench   measure against peers, write benchmarks/RESULTS.md"
	@echo "make bench-gateways   the same behind web servers, write benchmarks/GATEWAYS.md"
	@echo "make servers run every case of RFC 3875 on every server, write docs/deploy/servers.md"
	@echo "make torture the tests of reliability at full size: an hour"
	@echo "make release build the sdist and the wheel into dist/, check both; publishes nothing"
	@echo "make clean   remove what the others made"
	@echo "All take PYTHON=python3.12 (which interpreter) and VENV=.venv (where to install)."

# PATH: the examples start with "#!/usr/bin/env python3", which must be the one that has cgikit.
# exec: a shell in between would die of Ctrl-C and make would report that as an error.
demo: $(VENV)/.demo
	@exec env PATH="$(bin):$$PATH" PORT="$(PORT)" $(bin)/cgikit serve examples/cgi-bin --index gallery.py

# What every script of the gallery has inside, and its picture in the docs; with --out all its pages, to look at
gallery: $(VENV)/.dev
	@cd tests && PYTHONPATH=.:harness $(bin)/python -m gallery.style
	@cd tests && PYTHONPATH=.:harness PATH="$(bin):$$PATH" $(bin)/python -m gallery.pictures $(ARGS)

# The pages show what the files in examples/tutorial have: whole scripts, and the changes from step to step
tutorial: $(VENV)/.dev
	@cd tests && PYTHONPATH=.:harness $(bin)/python -m tutorial.steps
	@cd tests && PYTHONPATH=.:harness PATH="$(bin):$$PATH" $(bin)/python -m tutorial.pictures $(ARGS)

test: $(VENV)/.dev
	@$(bin)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

# Of these exact versions: a newer one may have a new rule, and fail a page that has not changed.
checkers:
	@npm install --prefix .npm --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
	  axe-core@4.14.1 vnu-jar@26.9.27

lint: $(VENV)/.dev
	@code=0; \
	$(bin)/ruff check . || code=1; \
	$(bin)/ruff format --check . || code=1; \
	$(bin)/mypy || code=1; \
	exit $$code

# From nothing each time: pages that are not read again give no warnings.
docs: $(VENV)/.dev
	@rm -rf .site && $(bin)/sphinx-build -q -E -W --keep-going -b html docs .site

docs-serve: docs
	@exec $(bin)/python -m http.server --bind 127.0.0.1 --directory .site $(PORT)

# In a copy of the folder that the page has, so that its count.dat stays as it is.
trace-sample: $(VENV)/.dev
	@$(bin)/python benchmarks/trace_sample.py

life: $(VENV)/.dev
	@$(bin)/python benchmarks/life.py

# Not when the wheel is built: that would take cgikit's own dependencies.
man: $(VENV)/.dev
	@$(bin)/python tests/harness/manual.py >docs/man/cgikit.1.new
	@mv docs/man/cgikit.1.new docs/man/cgikit.1

# In a copy of the tree; a few mutants of each module, the same each time: ARGS='--most 100 cookies'
mutants: $(VENV)/.dev
	@$(pip) 'cosmic-ray>=8.3,<9'
	@$(bin)/python tests/harness/mutants.py $(ARGS)

# The table in docs/reference/warm.md: what becomes of leaky scripts whose process might be used again.
reuse-outcomes: $(VENV)/.dev
	@PYTHONPATH=tests:tests/harness $(bin)/python -m reuse.outcomes $(ARGS)

bench:
	@$(PYTHON) benchmarks/run.py $(ARGS)

bench-gateways:
	@$(PYTHON) benchmarks/run_gateways.py $(ARGS)

# Old programs, whose own tests are run with cgikit.compat in place of the module that they import. Their
# code stays out of the repository. bottle imports cgi when it is built: legacy-cgi goes first.
programs: .programs/.made

.programs/.made: tests/migration/requirements.txt tests/migration/sources.txt
	@echo "Fetching old programs into .programs ..."
	@rm -rf .programs
	@$(PYTHON) -m venv .programs/venv
	@$(old) install -r tests/migration/requirements.txt
	@$(fetch) legacy-cgi==2.6.4
	@cd .programs && tar xzf sources/legacy_cgi-2.6.4.tar.gz && mv legacy_cgi-2.6.4 legacy-cgi \
	  && mv sources/legacy_cgi-2.6.4.tar.gz .
	@PYTHONPATH=$(abspath .programs/legacy-cgi) $(fetch) -r tests/migration/sources.txt
	@cd .programs && for each in sources/*.tar.gz; do tar xzf $$each || exit 1; done
	@touch .programs/pytest.ini $@  # or pytest would take ours

old := .programs/venv/bin/python -m pip --quiet --disable-pip-version-check
fetch = $(old) download --no-deps --no-binary :all: --no-build-isolation --dest .programs/sources

# Records what the servers do instead of failing where it is not as recorded; the diff shows it.
servers: $(VENV)/.dev
	@rm -f $(VENV)/rfc3875.record
	@CGIKIT_REQUIRE=all CGIKIT_RECORD=$(abspath $(VENV))/rfc3875.record \
	  $(bin)/python -m pytest -q tests/servers/test_conformance.py -k test_case $(ARGS)
	@cd tests && PYTHONPATH=harness $(bin)/python -m servers.report $(abspath $(VENV))/rfc3875.record

# The same tests as in every run, with the large numbers of tests/harness/torture.py.
torture: $(VENV)/.dev
	@CGIKIT_TORTURE=1 $(bin)/python -m pytest -o faulthandler_timeout=7200 --durations=0 \
	  tests/faults tests/gateway tests/persistent/test_persistent_connection.py \
	  tests/sessions tests/test_counters.py tests/test_files.py tests/test_jsonfile.py \
	  tests/test_locks.py tests/perl/test_differential.py $(ARGS)

# ARGS are those of make test in the unpacked sdist: ARGS=tests/test_html.py for a short check
release: $(VENV)/.dev
	@$(pip) 'twine>=6'
	@$(bin)/python tests/harness/release.py --tests "$(ARGS)"

clean:
	rm -rf .site dist .venv .venv-* .npm .programs .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find $(sources) -name __pycache__ -prune -exec rm -rf {} +

# Stamps: set-up is done again only when the list of dependencies changed.
$(VENV)/.demo: pyproject.toml | $(VENV)/.made
	@echo "Installing cgikit into $(VENV) ..."
	@$(pip) --editable '.[serve]'
	@$(compile)
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.made
	@echo "Installing cgikit and the development tools into $(VENV) ..."
	@$(pip) --editable '.[dev]'
	@$(compile)
	@touch $@ $(VENV)/.demo

# Without compiled modules every request compiles them again, and Python writes none itself where
# PYTHONDONTWRITEBYTECODE is set or the script's user cannot write.
compile = $(bin)/python -m compileall -q cgikit

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "cgikit needs Python 3.11 or later; $(PYTHON) is" \
	    "$$({ $(PYTHON) --version || echo 'not installed'; } 2>/dev/null)."; \
	  echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: on Debian and Ubuntu, install them with"; \
	  echo "    apt-get install python3-venv"; exit 1; } >&2
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@
