// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package clients is the acceptance of the built collector by real AWS clients: each does what its tutorial does, with
// only an endpoint and test credentials set, and asserts what it reads back. The clients are installed here, pinned.
package clients

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

// clientTimeout bounds one suite of tests in another language.
const clientTimeout = 10 * time.Minute

// TestClients runs all clients against one collector with examples/local.yaml.
func TestClients(t *testing.T) {
	c := collector.Start(t, collector.Options{})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the collector's log:\n%s", c.Log())
		}
	})
	t.Run("Go", func(t *testing.T) {
		t.Run("metrics", func(t *testing.T) { testMetrics(t, c) })
		t.Run("logs", func(t *testing.T) { testLogs(t, c) })
		t.Run("traces", func(t *testing.T) { testTraces(t, c) })
	})
	t.Run("bad input", func(t *testing.T) { testBadInput(t, c) })
	t.Run("Python", func(t *testing.T) {
		python := installPython(t, "python", "requirements.txt")
		run(t, c, "python", python, "-m", "pytest")
	})
	t.Run("Python with the query protocol", func(t *testing.T) {
		python := installPython(t, "python-query", filepath.Join("query", "requirements.txt"))
		run(t, c, filepath.Join("python", "query"), python, "-m", "pytest")
	})
	t.Run("Node.js", func(t *testing.T) {
		dir := installNode(t)
		tests, err := filepath.Glob(filepath.Join(dir, "*.test.mjs"))
		require.NoError(t, err)
		require.NotEmpty(t, tests)
		run(t, c, dir, "node", append([]string{"--test"}, tests...)...)
	})
	t.Run("still answers", func(t *testing.T) { testStillAnswers(t, c) })
}

// run runs a client's tests and shows what they print when they fail.
func run(t *testing.T, c *collector.Collector, dir, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clientTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(cleanEnvironment(), clientEnvironment(t, c)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, out.String())
	}
	t.Log(lastLine(out.String()))
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// clientEnvironment is all that clients are told.
func clientEnvironment(t *testing.T, c *collector.Collector) []string {
	t.Helper()
	nothing := filepath.Join(t.TempDir(), "nothing")
	return []string{
		"AWS_ENDPOINT_URL=http://" + c.AWS,
		"AWS_ACCESS_KEY_ID=test",
		"AWS_SECRET_ACCESS_KEY=test",
		"AWS_REGION=us-east-1",
		"AWS_DEFAULT_REGION=us-east-1",
		"AWS_XRAY_DAEMON_ADDRESS=" + c.XRay,
		"AWS_EMF_AGENT_ENDPOINT=tcp://" + c.EMF,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + c.OTLPHTTP,
		// What follows keeps the clients from this machine's own AWS configuration, and from leaving files.
		"AWS_CONFIG_FILE=" + nothing,
		"AWS_SHARED_CREDENTIALS_FILE=" + nothing,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_PAGER=",
		"NO_PROXY=127.0.0.1,localhost",
		"PYTHONDONTWRITEBYTECODE=1",
	}
}

// cleanEnvironment is this process's environment without what would change a client's behaviour.
func cleanEnvironment() []string {
	var out []string
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if hasPrefix(name, "AWS_", "OTEL_", "POWERTOOLS_", "NEPHOSCOPE_", "_X_AMZN", "LAMBDA_", "PYTEST_") {
			continue
		}
		out = append(out, pair)
	}
	return out
}

func hasPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
