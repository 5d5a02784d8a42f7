// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
	now     = int64(1_763_700_000_123)
)

func TestToLogs(t *testing.T) {
	ld := ToLogs(account, region, "/g", "s", []InputEvent{
		{Timestamp: now - 5, Message: "plain \u0000 text\n"},
		{Timestamp: now, Message: `{"level":"warn","xray_trace_id":"1-5759e988-bd862e3fe1be46a994272793","spanId":"53995c3f42cd8ad8"}`},
		{Timestamp: now, Message: `{"X-Amzn-Trace-Id":"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad9","severity":"odd"}`},
	}, now+1)
	require.Equal(t, 3, ld.LogRecordCount())
	assert.Equal(t, map[string]any{
		"cloud.provider": "aws", "cloud.account.id": account, "cloud.region": region,
		"aws.log.group.names": []any{"/g"}, "aws.log.stream.names": []any{"s"},
	}, ld.ResourceLogs().At(0).Resource().Attributes().AsRaw())
	sl := ld.ResourceLogs().At(0).ScopeLogs().At(0)
	assert.Equal(t, map[string]any{"encoding.format": "aws.cloudwatch"}, sl.Scope().Attributes().AsRaw())
	r := sl.LogRecords().At(0)
	assert.Equal(t, "plain \u0000 text\n", r.Body().Str())
	assert.EqualValues(t, (now-5)*1e6, r.Timestamp())
	assert.EqualValues(t, (now+1)*1e6, r.ObservedTimestamp())
	assert.Equal(t, plog.SeverityNumberUnspecified, r.SeverityNumber())
	r = sl.LogRecords().At(1)
	assert.Equal(t, "warn", r.SeverityText())
	assert.Equal(t, plog.SeverityNumberWarn, r.SeverityNumber())
	assert.Equal(t, "5759e988bd862e3fe1be46a994272793", r.TraceID().String())
	assert.Equal(t, "53995c3f42cd8ad8", r.SpanID().String())
	r = sl.LogRecords().At(2)
	assert.Equal(t, "odd", r.SeverityText())
	assert.Equal(t, plog.SeverityNumberUnspecified, r.SeverityNumber())
	assert.Equal(t, "5759e988bd862e3fe1be46a994272793", r.TraceID().String())
	assert.Equal(t, "53995c3f42cd8ad9", r.SpanID().String())
}

// An event comes back as it was put, whatever the pipeline added.
func TestEventsRoundTrip(t *testing.T) {
	in := []InputEvent{
		{now - 5, "plain text\n"},
		{now - 4, `{"level":"ERROR","service":"api","trace_id":"1-5759e988-bd862e3fe1be46a994272793","duration_ms":2,"status":500}`},
		{now - 3, `{"severity":"ERROR"}`},
	}
	ld := ToLogs(account, region, "/g", "s", in, now)
	want := []Event{
		{Timestamp: now - 5, Message: in[0].Message},
		{Timestamp: now - 4, Message: in[1].Message, Level: "ERROR", Service: "api", TraceID: "5759e988bd862e3fe1be46a994272793", DurationMs: new(2.0), Status: new(int32(500))},
		{Timestamp: now - 3, Message: in[2].Message},
	}
	for i := range want {
		want[i].Account, want[i].Region, want[i].Group, want[i].Stream, want[i].Ingested = account, region, "/g", "s", now
	}
	got, report := FromLogs(ld, FromOptions{Now: now + 100})
	assert.Equal(t, want, got)
	assert.Equal(t, Report{}, report)

	rl := ld.ResourceLogs().At(0)
	rl.Resource().Attributes().PutStr("host.name", "h")
	rl.ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr("env", "prod")
	got, report = FromLogs(ld, FromOptions{Now: now + 100})
	assert.Equal(t, want, got)
	assert.Equal(t, Report{Reduced: 3}, report)
}

func otlp(tb testing.TB) (plog.Logs, plog.ResourceLogs, plog.LogRecord) {
	tb.Helper()
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	r := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetTimestamp(nanos(now))
	return ld, rl, r
}

func TestFromLogsDocument(t *testing.T) {
	ld, rl, r := otlp(t)
	rl.Resource().Attributes().PutStr("service.name", "check<out>")
	rl.Resource().Attributes().PutStr("service.instance.id", "i-1:2")
	rl.ScopeLogs().At(0).Scope().SetName("lib")
	rl.ScopeLogs().At(0).Scope().SetVersion("1")
	r.SetObservedTimestamp(nanos(now + 7))
	r.SetSeverityNumber(plog.SeverityNumberError2)
	r.SetFlags(1)
	r.SetEventName("ev")
	var trace [16]byte
	_, _ = hex.Decode(trace[:], []byte("5759e988bd862e3fe1be46a994272793"))
	r.SetTraceID(trace)
	r.SetSpanID([8]byte{1})
	require.NoError(t, r.Body().SetEmptyMap().FromRaw(map[string]any{"z": int64(1), "a": []any{"x\"\n\x01", 1.5, nil, true, []byte("hi")}}))
	require.NoError(t, r.Attributes().FromRaw(map[string]any{"session.id": "s", "big": int64(math.MaxInt64), "nan": math.NaN(), "tiny": 1e-9}))
	events, report := FromLogs(ld, FromOptions{DefaultAccount: account, DefaultRegion: region, Now: now + 9})
	require.Equal(t, Report{}, report)
	require.Len(t, events, 1)
	e := events[0]
	const want = `{"level":"ERROR","service":"check<out>","trace_id":"5759e988bd862e3fe1be46a994272793","span_id":"0100000000000000",` +
		`"resource":{"attributes":{"service.instance.id":"i-1:2","service.name":"check<out>"}},"scope":{"name":"lib","version":"1"},` +
		`"timeUnixNano":1763700000123000000,"observedTimeUnixNano":1763700000130000000,"severityNumber":18,"eventName":"ev",` +
		`"body":{"a":["x\"\n\u0001",1.5,null,true,"aGk="],"z":1},"attributes":{"big":9223372036854775807,"nan":"NaN","session.id":"s","tiny":1e-09},` +
		`"flags":1,"traceId":"5759e988bd862e3fe1be46a994272793","spanId":"0100000000000000"}`
	assert.Equal(t, want, e.Message) //nolint:testifylint // to the byte
	assert.True(t, json.Valid([]byte(e.Message)))
	e.Message = ""
	assert.Equal(t, Event{
		Account: account, Region: region, Group: "/otel/check_out_", Stream: "i-1_2", Timestamp: now, Ingested: now + 9,
		Level: "ERROR", Service: "check<out>", TraceID: "5759e988bd862e3fe1be46a994272793", SpanID: "0100000000000000",
	}, e)
}

func TestFromLogsBodies(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(plog.ResourceLogs, plog.LogRecord)
		want string
	}{
		"text":      {func(_ plog.ResourceLogs, r plog.LogRecord) { r.Body().SetStr(" a\n") }, " a\n"},
		"JSON text": {func(_ plog.ResourceLogs, r plog.LogRecord) { r.Body().SetStr(`{"b":1, "a":2}`) }, `{"b":1, "a":2}`},
		"no UTF-8":  {func(_ plog.ResourceLogs, r plog.LogRecord) { r.Body().SetStr("a\xff\xfeb") }, "a\ufffd\ufffdb"},
		"map": {func(_ plog.ResourceLogs, r plog.LogRecord) {
			m := r.Body().SetEmptyMap()
			m.PutInt("b", 1)
			m.PutStr("a", "\xff")
		}, "{\"a\":\"\ufffd\",\"b\":1}"},
		"slice":       {func(_ plog.ResourceLogs, r plog.LogRecord) { r.Body().SetEmptySlice().AppendEmpty().SetBool(true) }, `[true]`},
		"number":      {func(_ plog.ResourceLogs, r plog.LogRecord) { r.Body().SetDouble(1e21) }, `1e+21`},
		"bytes":       {func(_ plog.ResourceLogs, r plog.LogRecord) { r.Body().SetEmptyBytes().FromRaw([]byte("hi")) }, `aGk=`},
		"only a flag": {func(_ plog.ResourceLogs, r plog.LogRecord) { r.Body().SetStr("x"); r.SetFlags(1) }, `{"timeUnixNano":1763700000123000000,"body":"x","flags":1}`},
		"routed text": {func(rl plog.ResourceLogs, r plog.LogRecord) {
			rl.Resource().Attributes().PutStr("cloud.region", "x")
			rl.Resource().Attributes().PutEmptySlice("aws.log.group.arns")
			r.Body().SetStr("x")
		}, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			ld, rl, r := otlp(t)
			c.set(rl, r)
			events, report := FromLogs(ld, FromOptions{Now: now})
			require.Equal(t, Report{}, report)
			require.Len(t, events, 1)
			assert.Equal(t, c.want, events[0].Message)
			assert.Equal(t, "/otel/undefined", events[0].Group)
			assert.Equal(t, "undefined", events[0].Stream)
		})
	}
}

func TestFromLogsTenant(t *testing.T) {
	for name, c := range map[string]struct{ provider, account, region, wantAccount, wantRegion string }{
		"none":          {"", "", "", "000000000000", "us-east-1"},
		"aws":           {"aws", account, region, account, region},
		"no provider":   {"", account, region, account, region},
		"other cloud":   {"gcp", account, region, "000000000000", "us-east-1"},
		"not an id":     {"aws", "my-project", region, "000000000000", region},
		"region absent": {"aws", account, "", account, "us-east-1"},
	} {
		t.Run(name, func(t *testing.T) {
			ld, rl, r := otlp(t)
			r.Body().SetStr("x")
			a := rl.Resource().Attributes()
			for k, v := range map[string]string{"cloud.provider": c.provider, "cloud.account.id": c.account, "cloud.region": c.region} {
				if v != "" {
					a.PutStr(k, v)
				}
			}
			events, _ := FromLogs(ld, FromOptions{DefaultAccount: "000000000000", DefaultRegion: "us-east-1", Now: now})
			require.Len(t, events, 1)
			assert.Equal(t, c.wantAccount, events[0].Account)
			assert.Equal(t, c.wantRegion, events[0].Region)
		})
	}
}

func TestFromLogsTimes(t *testing.T) {
	ld, _, r := otlp(t)
	r.Body().SetStr("x")
	r.SetTimestamp(0)
	events, _ := FromLogs(ld, FromOptions{Now: now})
	assert.Equal(t, [2]int64{now, now}, [2]int64{events[0].Timestamp, events[0].Ingested})
	r.SetObservedTimestamp(1_999_999)
	events, _ = FromLogs(ld, FromOptions{Now: now})
	assert.Equal(t, [2]int64{1, now}, [2]int64{events[0].Timestamp, events[0].Ingested})
}

func TestFromLogsRejects(t *testing.T) {
	ld, rl, r := otlp(t)
	v := r.Body().SetEmptySlice().AppendEmpty()
	for range 200 {
		v = v.SetEmptySlice().AppendEmpty()
	}
	rs := rl.ScopeLogs().At(0).LogRecords()
	rs.AppendEmpty()
	rs.AppendEmpty().Body().SetStr(strings.Repeat("x", MaxEventBytes-EventOverhead+1))
	rs.AppendEmpty().Body().SetStr(strings.Repeat("x", MaxEventBytes-EventOverhead))
	for key, name := range map[string]string{AttributeGroupNames: "a b", AttributeStreamNames: "a:b"} {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr(key, name)
		rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("x")
	}
	events, report := FromLogs(ld, FromOptions{Now: now})
	assert.Len(t, events, 1)
	assert.Equal(t, map[Reason]int{ReasonEmpty: 1, ReasonTooLarge: 1, ReasonTooDeep: 1, ReasonGroupName: 1, ReasonStreamName: 1}, report.Rejected)
	require.EqualError(t, report.Err(), "5 log records rejected: empty message (1), message too large (1), value nested too deeply (1), "+
		"invalid log group name (1), invalid log stream name (1)")
	assert.NoError(t, (&Report{}).Err())
}

func TestFromLogsBodyOnly(t *testing.T) {
	ld, rl, r := otlp(t)
	rl.Resource().Attributes().PutStr("service.name", "api")
	r.SetSeverityText("INFO")
	r.Body().SetStr("x")
	events, report := FromLogs(ld, FromOptions{Now: now, BodyOnly: true})
	require.Len(t, events, 1)
	assert.Equal(t, "x", events[0].Message)
	assert.Empty(t, events[0].Level)
	assert.Equal(t, Report{Reduced: 1}, report)
}

func FuzzDocument(f *testing.F) {
	f.Add("service", "key", "a\"\\\x00\xffé", int64(3), 1.5)
	f.Fuzz(func(t *testing.T, service, key, value string, n int64, x float64) {
		ld, rl, r := otlp(t)
		rl.Resource().Attributes().PutStr("service.name", service)
		r.SetSeverityText(value)
		r.Attributes().PutStr(key, value)
		r.Attributes().PutInt(key+"n", n)
		m := r.Body().SetEmptyMap()
		m.PutDouble(key, x)
		m.PutStr(value, key)
		events, report := FromLogs(ld, FromOptions{Now: now})
		if report.RejectedRecords() > 0 {
			return
		}
		require.Len(t, events, 1)
		require.True(t, json.Valid([]byte(events[0].Message)), "%q", events[0].Message)
		require.Equal(t, validText(value), events[0].Level)
		require.Equal(t, validText(service), events[0].Service)
		require.True(t, ValidGroupName(events[0].Group), "%q", events[0].Group)
	})
}

func BenchmarkToLogs(b *testing.B) {
	in := make([]InputEvent, 1000)
	for i := range in {
		in[i] = InputEvent{now, benchMessage}
	}
	b.ReportAllocs()
	for b.Loop() {
		if ToLogs(account, region, "/g", "s", in, now).LogRecordCount() != len(in) {
			b.Fatal()
		}
	}
}

func BenchmarkFromLogsEvents(b *testing.B) {
	in := make([]InputEvent, 1000)
	for i := range in {
		in[i] = InputEvent{now, benchMessage}
	}
	ld := ToLogs(account, region, "/g", "s", in, now)
	b.ReportAllocs()
	for b.Loop() {
		if events, _ := FromLogs(ld, FromOptions{Now: now}); len(events) != len(in) {
			b.Fatal()
		}
	}
}

func BenchmarkFromLogsDocuments(b *testing.B) {
	ld, rl, r := otlp(b)
	rl.Resource().Attributes().PutStr("service.name", "api")
	r.SetSeverityNumber(9)
	r.SetTraceID([16]byte{1})
	r.SetSpanID([8]byte{1})
	r.Body().SetStr("order placed for customer 10293 with 3 items, total 288.90 EUR")
	for _, k := range []string{"http.request.method", "url.path", "session.id", "order.id"} {
		r.Attributes().PutStr(k, "value of "+k)
	}
	for range 999 {
		r.CopyTo(rl.ScopeLogs().At(0).LogRecords().AppendEmpty())
	}
	b.ReportAllocs()
	for b.Loop() {
		if events, _ := FromLogs(ld, FromOptions{Now: now}); len(events) != 1000 {
			b.Fatal()
		}
	}
}
