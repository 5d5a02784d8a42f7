// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package install installs the clients that tests use, pinned, below testbed/clients/.cache. Tests that use the same clients
// share them; packages of tests are to be run one after the other.
package install

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

// timeout bounds an installation: it downloads some 40 MB.
const timeout = 10 * time.Minute

// Clients is the directory of the clients and their tests.
func Clients() string { return filepath.Join(collector.Root(), "testbed", "clients") }

// Dir is where the client of that name is installed. It is not checked in; a change of a pin installs anew.
func Dir(name string) string { return filepath.Join(Clients(), ".cache", name) }

// Python makes a virtual environment with the pinned packages of a file below testbed/clients/python, and returns its
// interpreter.
func Python(tb testing.TB, name, requirements string) string {
	tb.Helper()
	base, err := exec.LookPath("python3")
	if err != nil {
		tb.Fatalf("python3 is needed for these tests: %v", err)
	}
	requirements = filepath.Join(Clients(), "python", requirements)
	dir, bin := Dir(name), "bin"
	if runtime.GOOS == "windows" {
		bin = "Scripts"
	}
	python := filepath.Join(dir, bin, "python3")
	Once(tb, dir, []string{requirements}, func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Fatal(err)
		}
		Run(tb, ".", base, "-m", "venv", dir)
		Run(tb, ".", python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", requirements)
	})
	return python
}

// Current is the interpreter with the current boto3.
func Current(tb testing.TB) string {
	tb.Helper()
	return Python(tb, "python", "requirements.txt")
}

// Query is the interpreter with the boto3 whose CloudWatch client speaks awsQuery.
func Query(tb testing.TB) string {
	tb.Helper()
	return Python(tb, "python-query", filepath.Join("query", "requirements.txt"))
}

// Once runs fn unless it ran before, to its end, for the same contents of the files.
func Once(tb testing.TB, dir string, files []string, fn func()) {
	tb.Helper()
	h := sha256.New()
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		h.Write(text)
	}
	sum := hex.EncodeToString(h.Sum(nil))
	marker := filepath.Join(dir, ".installed")
	if have, err := os.ReadFile(marker); err == nil && string(have) == sum {
		return
	}
	fn()
	if err := os.WriteFile(marker, []byte(sum), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// Run runs a program that installs something.
func Run(tb testing.TB, dir, program string, args ...string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", program, err, out)
	}
}
