# `make` lists what there is.  Everything makes its own .venv first.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
STAMP := $(VENV)/.installed
PYTHON_FOUND := $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& command -v "$$p" && break; done)
PYTHON ?= $(PYTHON_FOUND)
WORKERS ?= 2
STAGE ?= dev

.PHONY: help run demo gocardless-sandbox reset test test-api test-year lint format openapi docs bench lock redrive \
	package infra deploy partner ops drill permissions dashboards

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(STAMP)  ## serve everything on this machine until Ctrl-C (PORT=8000)
	@exec $(VENV)/bin/python -m local.run

demo: $(STAMP)  ## walk a whole loan's life against the running stack, or one of its own
	@exec $(VENV)/bin/python -m local.demo

gocardless-sandbox: $(STAMP)  ## the adapter against GoCardless's sandbox (or BASE=simulator)
	@exec $(VENV)/bin/python -m local.gocardless_sandbox

reset: $(STAMP)  ## forget the state kept under .local/
	@exec $(VENV)/bin/python -m local.reset

test: $(STAMP)  ## the tests (ARGS='-m slow' for the long ones)
	@$(VENV)/bin/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-api: $(STAMP)  ## thousands of requests generated from the API document, some minutes
	@exec $(VENV)/bin/python -m tests.fuzz

test-year: $(STAMP)  ## a year of a book of loans, each daily file checked, hours (MONTHS=12 LOANS=300)
	@exec env PYTHONPATH=.:clients/python/src $(VENV)/bin/python -m tests.year \
		--months $(or $(MONTHS),12) --loans $(or $(LOANS),300) $(ARGS)

lint: $(STAMP)  ## format, style, types, import directions, routes
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@PYTHONPATH=. $(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/python -m tools.lint_source
	@$(VENV)/bin/python -m tools.lint_routes
	@$(VENV)/bin/python -m tools.openapi --check
	@$(VENV)/bin/python -m tools.partner_docs --check
	@$(VENV)/bin/python -m tools.lint_infra
	@$(VENV)/bin/python -m tools.dashboards --check

format: $(STAMP)  ## write the source the one way
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

openapi: $(STAMP)  ## write openapi.json from the declarations
	@$(VENV)/bin/python -m tools.openapi

docs: $(STAMP)  ## write the generated parts of docs/partners
	@$(VENV)/bin/python -m tools.partner_docs

dashboards: $(STAMP)  ## the dashboards of this machine as a page, and CloudWatch's template (HOURS=24)
	@$(VENV)/bin/python -m tools.dashboards --hours $(or $(HOURS),24)

bench: $(STAMP)  ## the benchmarks (ARGS=lists, ARGS=webhooks; without: the engine)
	@exec $(VENV)/bin/python -m bench $(or $(ARGS),engine)

redrive: $(STAMP)  ## count the dead letters of a stage, or QUEUE=... to send them again
	@exec $(VENV)/bin/python -m tools.ops --yes dead-letters $(if $(QUEUE),redrive $(QUEUE),list)

package: $(STAMP)  ## a stage's template and packages, in build/ (STAGE=dev)
	@exec $(VENV)/bin/python -m tools.package $(STAGE)

infra: $(STAMP)  ## a stage's key, secrets, table, queues, buckets, in AWS (STAGE=dev)
	@exec $(VENV)/bin/python -m tools.infra $(STAGE)

deploy: $(STAMP)  ## all of a stage to AWS: shown, asked, done, tried, or put back (STAGE=dev)
	@exec $(VENV)/bin/python -m tools.deploy $(STAGE)

partner: $(STAMP)  ## a new partner of a stage and its API key (STAGE=dev NAME=... SANDBOX=1)
	@exec $(VENV)/bin/python -m tools.ops --stage $(STAGE) --yes partner create "$(NAME)" \
		$(if $(SANDBOX),--sandbox)

ops: $(STAMP)  ## what operators do, on the laptop stack or a stage (ARGS='--help')
	@exec $(VENV)/bin/python -m tools.ops $(or $(ARGS),--help)

drill: $(STAMP)  ## restore a copy of the running stack's table, compare it, verify every ledger
	@exec $(VENV)/bin/python -m tools.ops --yes $(ARGS) backup drill

permissions: $(STAMP)  ## record what each function asks of AWS (ARGS=--check compares)
	@exec $(VENV)/bin/python -m tools.permissions $(ARGS)

lock: $(STAMP)  ## compile the pinned requirements again, with hashes
	@bash tools/lock

# The stamp is written last, so that a broken installation is done again.
$(STAMP): requirements-dev.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo "Backbone needs Python 3.11 or later with venv (Debian: apt install python3-venv)." >&2; \
		exit 1; fi
	@echo "Installing into $(VENV) (about a minute, once) ..."
	@[ -x $(VENV)/bin/python ] && $(VENV)/bin/python -c '' 2>/dev/null || { \
		rm -rf $(VENV) && "$(PYTHON)" -m venv $(VENV); }
	@$(VENV)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes \
		-r requirements-dev.txt 2> $(VENV)/install.log || { \
		grep -v '^WARNING' $(VENV)/install.log | tail -n 20 >&2; \
		echo "The installation failed; all of it is in $(VENV)/install.log." >&2; exit 1; }
	@touch $@ && echo "Installed."
