# make build | demo | test | lint | generate | bench | fuzz — `make help` lists all.

SHELL := /bin/bash
.DEFAULT_GOAL := help

export GOFLAGS := -buildvcs=false
export GOTOOLCHAIN := local

VERSION  := 0.1.0-dev
LDFLAGS  := -s -w
TOOL     := go tool -modfile=internal/tools/go.mod
# Tests of everything but the generated mains, which have none: building those with -race would cost minutes.
PACKAGES = $(shell go list ./... | grep -v -e /cmd/nephoscope -e /testbed/)
FUZZTIME ?= 10s

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.PHONY: build
build: build-agent build-neph build-full ## build bin/nephoscope, bin/nephoscope-agent and bin/neph

.PHONY: build-full
build-full: cxx
	CGO_ENABLED=1 go build -ldflags '$(LDFLAGS)' -o bin/nephoscope ./cmd/nephoscope

.PHONY: build-agent
build-agent:
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o bin/nephoscope-agent ./cmd/nephoscope-agent

.PHONY: build-neph
build-neph: cxx ## cgo, for `neph alarms backtest --store`
	CGO_ENABLED=1 go build -ldflags '$(LDFLAGS) -X main.version=$(VERSION)' -o bin/neph ./cmd/neph

# The embedded store is C++: linking it needs g++.
.PHONY: cxx
cxx:
	@command -v g++ >/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "installing g++ (the embedded store is C++)"; apt-get update -qq && apt-get install -y -qq g++ >/dev/null; \
		else echo "g++ is needed to build the embedded store: install it (Debian: apt-get install g++)" >&2; exit 1; fi; }

.PHONY: demo
demo: build ## build, start a collector, run a small shop against it and show what AWS's APIs answer (ONCE=1: then stop)
	bin/neph demo $(if $(ONCE),--once)

.PHONY: test
test: check test-go build test-clients test-durability ## everything that must pass: generated files, Go tests, real clients, kill -9

.PHONY: test-go
test-go: cxx ## Go tests with the race detector
	go test -race -timeout 20m $(PACKAGES)

.PHONY: test-clients
test-clients: ## acceptance by real AWS clients against bin/nephoscope (installs them, pinned, below testbed/clients/.cache)
	go test -count=1 -p 1 -timeout 25m ./testbed/clients/... ./testbed/alarms/...

.PHONY: test-durability
test-durability: ## kill -9 under full load, ten times: everything acknowledged is there
	go test -count=1 -timeout 15m ./testbed/durability/...

.PHONY: bench
bench: ## micro-benchmarks of the hot paths, then testbed/bench against the built collector
	go test -run '^$$' -bench . -benchmem ./pkg/... ./internal/... ./exporter/... ./receiver/... ./connector/... ./processor/... ./extension/... ./cmd/neph/...
	go test -tags bench -count=1 -timeout 60m -v ./testbed/bench/... ./pkg/alarm/alarmbench/...

.PHONY: fuzz
fuzz: ## every fuzzer for FUZZTIME (10s)
	@set -e; for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$pkg/*_test.go | sed 's/func //'); do \
			echo "== $$pkg $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; done; done

.PHONY: generate
generate: ## ocb's mains, mdatagen's metadata, go:generate
	$(TOOL) builder --skip-get-modules --skip-compilation --config builder-config.yaml
	$(TOOL) builder --skip-get-modules --skip-compilation --config builder-config.agent.yaml
	@for f in $$(ls */*/metadata.yaml); do (cd $$(dirname $$f) && echo "mdatagen $$f" && $(TOOL_ABS) mdatagen metadata.yaml); done
	go generate ./pkg/...
TOOL_ABS = go tool -modfile=$(CURDIR)/internal/tools/go.mod

.PHONY: check
check: generate ## generating again must change nothing
	@if [ -n "$$(git status --porcelain -- cmd receiver processor connector exporter extension pkg)" ]; then \
		git status --porcelain -- cmd receiver processor connector exporter extension pkg; \
		git diff -- cmd receiver processor connector exporter extension pkg | head -80; \
		echo "generated files are not up to date, or the work tree is not clean: run make generate and commit" >&2; exit 1; fi

.PHONY: fmt
fmt: ## format the Go sources
	$(LINT) fmt

.PHONY: lint
lint: ## golangci-lint
	$(LINT) run ./...
LINT = go tool -modfile=internal/tools/lint/go.mod golangci-lint

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
