# creditmill needs Go, gcc and make, nothing else. `make` alone lists what there is.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The DuckDB driver has its Arrow interface only under this tag: every go command below carries it.
TAGS    := -tags duckdb_arrow
VERSION := $(shell v=$$(git describe --tags --always --dirty --match 'v*' 2>/dev/null) && echo "$$v" || echo dev)
BUILD   := $(TAGS) -trimpath -ldflags '-X main.version=$(VERSION)'
# Development tools, pinned in a module of their own; Go builds and keeps them.
TOOL    := go tool -modfile=internal/tools/go.mod

# What a user may set: make test TEST_ARGS='-run TestClose -v ./jobs', make bench BENCH_ARGS='-calls 1000000'.
TEST_ARGS    ?= ./...
TEST_TIMEOUT ?= 15m
BENCH_ARGS   ?=
FUZZ_TIME    ?= 10s
WORLD        ?= vision
VULNDB       ?=

export CGO_ENABLED := 1

.PHONY: help
help: ## list these targets
	@echo 'creditmill $(VERSION)'
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' \
	  | while IFS=$$'\t' read -r name what; do printf '  make %-10s %s\n' "$$name" "$$what"; done

.PHONY: demo
demo: build ## run a whole month of a made-up company and say what happened (WORLD=vision)
	bin/creditmill demo $(WORLD)

.PHONY: build
build: ## build bin/creditmill
	go build $(BUILD) -o bin/creditmill ./cmd/creditmill

.PHONY: test
test: ## run every test (TEST_ARGS=./...)
	@$(TOOL) -n versitygw >/dev/null # the S3 server of the tests: built once, not by each package that needs it
	go test $(TAGS) -vet=off -timeout $(TEST_TIMEOUT) $(TEST_ARGS)

# Each fault test counts its cases; those of several processes at once are listed by name.
FAULT_TESTS := ^Test(Fault|Killed)
RACE_TESTS  := (Closes|Rerates|Others|Publishes)AtOnce|WhileItIsPublished|AtAnyMoment|IsNotDisturbed|KilledAfterItsCut|TwoDaemons|AfterAPause|AClock|AtTheStart|CatchesUp|BesideEvery|ACommittedRerate|ACrash|StoreThatFails|UnknownOutcome

.PHONY: faults
faults: ## crash, starve and confuse every job, and count that nothing is lost or doubled (minutes)
	@$(TOOL) -n versitygw >/dev/null
	@counts=$$(mktemp); log=$$(mktemp); trap 'rm -f "$$counts" "$$log"' EXIT; failed=0; \
	CREDITMILL_FAULTS=$$counts go test $(TAGS) -vet=off -count=1 -timeout 40m -v -run '$(FAULT_TESTS)|$(RACE_TESTS)' ./internal/lake ./jobs ./cmd/creditmill >"$$log" 2>&1 || failed=1; \
	if (( failed )); then grep -Ev '^ *(=== |--- PASS)' "$$log" || true; fi; \
	printf '%-56s %7s %8s  %s\n' fault cases time outcome; total=0; \
	while IFS=$$'\t' read -r fault cases took outcome; do \
	  printf '%-56s %7s %8s  %s\n' "$$fault" "$$cases" "$$took" "$$outcome"; total=$$((total + cases)); \
	done < <(sort "$$counts"); \
	printf '%-56s %7s\n\nraces of several processes, the daemon, and what a store answers\n' 'in all' "$$total"; \
	while read -r _ outcome name took; do \
	  if [[ ! $$name =~ $(FAULT_TESTS) ]]; then printf '%-72s %9s  %s\n' "$$name" "$$took" "$${outcome%:}"; fi; \
	done < <(grep -E '^--- (PASS|FAIL): ' "$$log" | sort -k3); \
	if (( failed )) || (( total == 0 )); then echo 'faults: failed' >&2; exit 1; fi; \
	echo; echo "$$total cases: a fault, the same work again, and every row as if nothing had happened"

.PHONY: check
check: format lint modules vuln ## format, lint, modules, known vulnerabilities: everything but the tests

.PHONY: bench
bench: build ## measure each stage against bare DuckDB (BENCH_ARGS=…, `make bench BENCH_ARGS=-h` lists them)
	go build $(BUILD) -o bin/creditmill-bench ./cmd/creditmill-bench
	bin/creditmill-bench $(BENCH_ARGS)

.PHONY: docs
docs: build ## write docs/tables.md anew from the dictionary of tables
	page=$$(bin/creditmill tables --markdown) && printf '%s\n' "$$page" >docs/tables.md

.PHONY: lint
lint: ## golangci-lint with the rules of .golangci.yml
	$(TOOL) golangci-lint run ./...

.PHONY: fmt
fmt: ## format all Go files
	$(TOOL) golangci-lint fmt ./...

.PHONY: fuzz
fuzz: ## fuzz every parser for a short while (FUZZ_TIME=10s each)
	@{ grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . || echo 'no fuzz tests' >&2; } | sort -u \
	  | while IFS=: read -r file func; do \
	      echo "go test -fuzz ^$${func#func }$$ $${file%/*}"; \
	      go test $(TAGS) -vet=off -run '^$$' -fuzz "^$${func#func }$$" -fuzztime $(FUZZ_TIME) "$${file%/*}" </dev/null || exit; \
	    done

.PHONY: install
install: ## install creditmill where Go keeps programs (GOBIN)
	go install $(BUILD) ./cmd/creditmill

.PHONY: clean
clean: ## remove what was built
	rm -rf bin

# The parts of check that are seldom run alone.

.PHONY: format
format:
	@echo 'gofmt -l .'
	@files=$$(gofmt -l .); [ -z "$$files" ] || { printf 'not formatted, run make fmt:\n%s\n' "$$files" >&2; exit 1; }

.PHONY: modules
modules:
	go mod verify
	go mod tidy -diff
	cd internal/tools && go mod verify && go mod tidy -diff

.PHONY: vuln
vuln:
	VULNDB=$(VULNDB) internal/tools/vulncheck.sh $(TAGS) ./...
