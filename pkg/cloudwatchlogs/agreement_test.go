// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/logsinsights"
)

// FuzzPromote compares the columns with what queries take them for.
func FuzzPromote(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `{"level":"ERROR","service":1,"x":[{"level":2}],"status":200,"duration_ms":1.5}`,
		`{"level":"a\u0041\ud83d\ude00\"","service":true}`, " {\t\"level\" : null }\n", `{"a":-0.1e+5,"b":[[],{}]}`,
		`{"level":"a","level":"b"}`, `{"status":1,"s":"\ud800"}`, `[{"level":1}]`, `{"le\u0076el":"q"}`,
		"{\"level\":\"\xff\"}", `{"level":"0123456789abcdef\\"}`, `{"level":1e999,"status":"2e2","duration_ms":"+.5"}`,
		`{"trace_id":"1-5759e988-bd862e3fe1be46a994272793","level":NaN,"a":[1,]}`, `{"level":-0,"service":1.50}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, want := Promote(s), logsinsights.Promote(s)
		var found members
		require.Equal(t, want.Object, scanObject(s, &found, 0), "%q", s)
		if strings.Contains(strings.ToLower(s), "-nan") || strings.ToValidUTF8(s, "") != s {
			return // -NaN is no number that anybody writes; FromLogs sees valid texts only
		}
		got.SpanID = ""
		require.Equal(t, Promoted{
			Level: want.Level, Service: want.Service, TraceID: want.TraceID, DurationMs: want.DurationMs, Status: want.Status,
		}, got, "%q", s)
	})
}
