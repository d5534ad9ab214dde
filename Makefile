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

.PHONY: check
check: format lint modules vuln ## format, lint, modules, known vulnerabilities: everything but the tests

.PHONY: bench
bench: build ## measure each stage against bare DuckDB (BENCH_ARGS=…, `make bench BENCH_ARGS=-h` lists them)
	go build $(BUILD) -o bin/creditmill-bench ./cmd/creditmill-bench
	bin/creditmill-bench $(BENCH_ARGS)

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
