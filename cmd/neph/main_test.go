// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/insights"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
)

// run gives the command line to a neph whose AWS APIs answer with bodies by operation.
func run(t *testing.T, answers map[string]string, args ...string) (string, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		body, ok := answers[op]
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			body = `{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}`
		}
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	var out bytes.Buffer
	root := newRoot(&out, func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL": server.URL}[name]
	})
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

const queryAnswer = `{"status":"Complete","results":[[{"field":"service","value":"orders"},{"field":"n","value":"12"}],` +
	`[{"field":"service","value":"pay"}]],"statistics":{"recordsMatched":12.0,"recordsScanned":20.0,"bytesScanned":2500.0}}`

func TestQueryCommand(t *testing.T) {
	t.Parallel()
	answers := map[string]string{"StartQuery": `{"queryId":"q"}`, "GetQueryResults": queryAnswer}
	out, err := run(t, answers, "query", "stats count(*) as n by service", "-g", "/g")
	require.NoError(t, err)
	require.Contains(t, out, "service   n\n───────  ──\norders   12\npay\n2 rows; 12 records matched of 20 scanned (2.5 kB) in ")
	out, err = run(t, answers, "query", "x", "-g", "/g", "-o", "json")
	require.NoError(t, err)
	require.Equal(t, []string{`{"n":"12","service":"orders"}`, `{"service":"pay"}`, ""}, strings.Split(out, "\n"))
	out, err = run(t, answers, "query", "x", "-g", "/g", "-o", "csv")
	require.NoError(t, err)
	require.Equal(t, "service,n\norders,12\npay,\n", out)
}

func TestQueryCommandErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"no group":      {[]string{"query", "fields x"}, "--log-group is required"},
		"no query":      {[]string{"query"}, "accepts 1 arg"},
		"bad time":      {[]string{"query", "x", "-g", "/g", "--since", "soon"}, `--since: "soon" is neither`},
		"bad output":    {[]string{"query", "x", "-g", "/g", "-o", "xml"}, `--output: "xml" is not`},
		"no such group": {[]string{"query", "x", "-g", "/g"}, "StartQuery: ResourceNotFoundException: The specified log group does not exist."},
		"tail":          {[]string{"tail", "/g"}, "ResourceNotFoundException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, nil, tc.args...)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestTailCommand(t *testing.T) {
	t.Parallel()
	out, err := run(t, map[string]string{"FilterLogEvents": `{"events":[{"logStreamName":"s","timestamp":1763726400123,` +
		`"message":"one\n","eventId":"1"}],"searchedLogStreams":[]}`}, "tail", "/g", "--since", "2025-01-01")
	require.NoError(t, err)
	require.Regexp(t, `^2025-11-21T\d\d:00:00\.123\S+ s one\n$`, out)
}

func TestNothingAnswers(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	root := newRoot(&out, func(string) string { return "" })
	root.SetArgs([]string{"tail", "/g", "--endpoint-url", "http://127.0.0.1:1"})
	require.ErrorContains(t, root.ExecuteContext(t.Context()), "nothing answers at http://127.0.0.1:1")
}

func TestFormatEvent(t *testing.T) {
	t.Parallel()
	e := types.FilteredLogEvent{
		LogStreamName: aws.String("web"), Timestamp: aws.Int64(time.Now().UnixMilli()), Message: aws.String("a\x1b[31mb\r\n"),
	}
	require.Equal(t, "a\x1b[31mb\n", formatEvent(terminal.Output{}, e, true), "a file gets what was sent")
	require.Equal(t, "a\ufffd[31mb\n", formatEvent(terminal.Output{Interactive: true}, e, true), "a terminal is protected")
	require.Contains(t, formatEvent(terminal.Output{Style: terminal.Style{Colors: true}}, e, false), "web\x1b[0m a")
}

func TestLocate(t *testing.T) {
	t.Parallel()
	_, _, err := locate(demoOptions{collector: filepath.Join(t.TempDir(), "nephoscope")})
	require.ErrorContains(t, err, "there is no collector at")
	require.ErrorContains(t, err, "make build")
	self, err := os.Executable()
	require.NoError(t, err)
	_, _, err = locate(demoOptions{collector: self, config: "nothing.yaml"})
	require.ErrorContains(t, err, "there is no configuration at nothing.yaml")
	binary, config, err := locate(demoOptions{collector: self, config: "main_test.go"})
	require.NoError(t, err)
	require.Equal(t, self, binary)
	require.Equal(t, "main_test.go", config)
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	at, err := endpointsFrom(func(string) string { return "" }, "http://127.0.0.1:4566")
	require.NoError(t, err)
	require.Equal(t, endpoints{"127.0.0.1:4566", "127.0.0.1:2000", "127.0.0.1:25888", "127.0.0.1:4317", "127.0.0.1:4318", "127.0.0.1:4567"}, at)
	_, err = endpointsFrom(func(string) string { return "" }, "127.0.0.1:4566")
	require.ErrorContains(t, err, "not the URL")
}

func TestExplainKeepsCancellation(t *testing.T) {
	t.Parallel()
	a := &app{}
	require.NoError(t, a.explain(nil))
	require.ErrorIs(t, a.explain(context.Canceled), context.Canceled)
	syntax := &insights.SyntaxError{Message: "m", Query: "q"}
	require.Equal(t, error(syntax), a.explain(syntax))
}
