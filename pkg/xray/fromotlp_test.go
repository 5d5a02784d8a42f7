// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// otlpTrace is a server span with a resource, for tests to change.
func otlpTrace(kind ptrace.SpanKind, parent byte) (ptrace.Traces, ptrace.Span) {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "shop")
	rs.Resource().Attributes().PutStr("cloud.account.id", "123456789012")
	rs.Resource().Attributes().PutStr("cloud.region", "eu-west-1")
	s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetTraceID(pcommon.TraceID{0: 0x65, 15: 1})
	s.SetSpanID(pcommon.SpanID{7: 0xff})
	s.SetParentSpanID(pcommon.SpanID{7: parent})
	s.SetKind(kind)
	s.SetName("GET /orders/{id}")
	s.SetStartTimestamp(1700000000_123456789)
	s.SetEndTimestamp(1700000001_000000000)
	return td, s
}

func onlyDocument(tb testing.TB, td ptrace.Traces) map[string]any {
	tb.Helper()
	docs, err := FromTraces(td)
	require.NoError(tb, err)
	require.Len(tb, docs, 1)
	return decode(tb, docs[0].JSON).(map[string]any)
}

func TestOTLPServer(t *testing.T) {
	t.Parallel()
	td, s := otlpTrace(ptrace.SpanKindServer, 1)
	r := td.ResourceSpans().At(0).Resource().Attributes()
	r.PutStr("cloud.platform", "aws_ecs")
	r.PutStr("aws.ecs.launchtype", "fargate")
	r.PutStr("container.name", "c1")
	r.PutStr("telemetry.sdk.name", "opentelemetry")
	r.PutStr("telemetry.sdk.language", "go")
	r.PutStr("telemetry.sdk.version", "1.30.0")
	r.PutStr("service.version", "7")
	r.PutEmptySlice("aws.log.group.names").AppendEmpty().SetStr("/g")
	a := s.Attributes()
	a.PutStr("http.request.method", "GET")
	a.PutStr("url.path", "/orders/7")
	a.PutStr("url.query", "x=1")
	a.PutStr("url.scheme", "https")
	a.PutStr("server.address", "shop.example.com")
	a.PutInt("server.port", 8443)
	a.PutStr("client.address", "1.2.3.4")
	a.PutInt("http.response.status_code", 429)
	a.PutStr("enduser.id", "jeff")
	a.PutStr("customer.id", "c1")
	a.PutInt("items", 3)
	list := a.PutEmptySlice("aws.xray.annotations")
	list.AppendEmpty().SetStr("customer.id")
	td.ResourceSpans().At(0).ScopeSpans().At(0).Scope().SetName("otelhttp")
	docs, err := FromTraces(td)
	require.NoError(t, err)
	require.Len(t, docs, 1)
	requireSameJSON(t, `{"name":"shop","id":"00000000000000ff","trace_id":"1-65000000-000000000000000000000001","parent_id":"0000000000000001",
		"start_time":1700000000.123456789,"end_time":1700000001,"origin":"AWS::ECS::Fargate","user":"jeff",
		"http":{"request":{"method":"GET","url":"https://shop.example.com:8443/orders/7?x=1","client_ip":"1.2.3.4","x_forwarded_for":true},"response":{"status":429}},
		"fault":false,"error":true,"throttle":true,
		"aws":{"ecs":{"container":"c1","launch_type":"fargate"},"cloudwatch_logs":[{"log_group":"/g"}],"xray":{"sdk":"opentelemetry for go","sdk_version":"1.30.0"}},
		"service":{"version":"7"},"annotations":{"customer_id":"c1"},
		"metadata":{"default":{"items":3,"url.scheme":"https","server.address":"shop.example.com","server.port":8443,"otel.span.name":"GET /orders/{id}","otel.scope.name":"otelhttp",
			"otel.resource.service.name":"shop","otel.resource.cloud.account.id":"123456789012","otel.resource.cloud.region":"eu-west-1","otel.resource.cloud.platform":"aws_ecs",
			"otel.resource.aws.ecs.launchtype":"fargate","otel.resource.container.name":"c1","otel.resource.telemetry.sdk.name":"opentelemetry","otel.resource.telemetry.sdk.language":"go",
			"otel.resource.telemetry.sdk.version":"1.30.0","otel.resource.service.version":"7","otel.resource.aws.log.group.names":["/g"]}}}`, docs[0].JSON)
	d := docs[0]
	require.Equal(t, "123456789012", d.Account)
	require.Equal(t, "eu-west-1", d.Region)
	require.True(t, d.Error)
	require.True(t, d.Throttle)
	require.False(t, d.Fault)
	require.False(t, d.Subsegment)
	require.Equal(t, int32(429), d.HTTPStatus)
	require.Equal(t, int64(1700000000_123456789), d.Start)
	require.JSONEq(t, `{"customer_id":"c1"}`, d.Annotations)
	require.Equal(t, SpanID{7: 1}, SpanID(d.ParentID))
}

func TestOTLPNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want, namespace string
		kind                  ptrace.SpanKind
		parent                byte
		attrs                 map[string]any
	}{
		{"server", "shop", "", ptrace.SpanKindServer, 1, nil},
		{"server, local service", "local", "", ptrace.SpanKindServer, 1, map[string]any{"aws.local.service": "local"}},
		{"root", "shop", "", ptrace.SpanKindInternal, 0, nil},
		{"internal", "GET /orders/id", "", ptrace.SpanKindInternal, 1, nil},
		{"client", "GET /orders/id", "remote", ptrace.SpanKindClient, 1, nil},
		{"client of a host", "api.example.com", "remote", ptrace.SpanKindClient, 1, map[string]any{"server.address": "api.example.com"}},
		{"client of a peer", "peer", "remote", ptrace.SpanKindClient, 1, map[string]any{"peer.service": "peer", "server.address": "x"}},
		{"remote service", "billing", "remote", ptrace.SpanKindClient, 1, map[string]any{"aws.remote.service": "billing", "peer.service": "x"}},
		{"AWS remote service", "DynamoDB", "aws", ptrace.SpanKindClient, 1, map[string]any{"rpc.system": "aws-api", "aws.remote.service": "AWS::DynamoDB"}},
		{"AWS", "S3", "aws", ptrace.SpanKindClient, 1, map[string]any{"rpc.system": "aws-api", "rpc.service": "S3", "rpc.method": "GetObject"}},
		{"AWS service", "SQS", "aws", ptrace.SpanKindProducer, 1, map[string]any{"aws.service": "SQS"}},
		{"database", "orders@db", "remote", ptrace.SpanKindClient, 1, map[string]any{"db.namespace": "orders", "server.address": "db"}},
		{"rpc", "pkg.Service", "remote", ptrace.SpanKindClient, 1, map[string]any{"rpc.service": "pkg.Service"}},
		{"consumer", "GET /orders/id", "", ptrace.SpanKindConsumer, 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			td, s := otlpTrace(c.kind, c.parent)
			require.NoError(t, s.Attributes().FromRaw(c.attrs))
			doc := onlyDocument(t, td)
			require.Equal(t, c.want, doc["name"])
			if c.namespace == "" {
				require.NotContains(t, doc, "namespace")
			} else {
				require.Equal(t, c.namespace, doc["namespace"])
			}
			segment := c.kind == ptrace.SpanKindServer || c.parent == 0
			if segment {
				require.NotContains(t, doc, "type")
			} else {
				require.Equal(t, "subsegment", doc["type"])
			}
		})
	}
	require.Equal(t, "span", cleanName("<>"))
	require.Equal(t, "span", cleanName(""))
	require.Len(t, cleanName(string(make([]byte, 0))+longName()), maxNameLength)
}

func longName() string {
	b := make([]byte, 300)
	for i := range b {
		b[i] = 'a'
	}
	return string(b)
}

func TestOTLPLocalRoot(t *testing.T) {
	t.Parallel()
	td, s := otlpTrace(ptrace.SpanKindClient, 0)
	s.Attributes().PutStr("aws.span.kind", "LOCAL_ROOT")
	s.Attributes().PutStr("aws.local.service", "shop")
	s.Attributes().PutStr("peer.service", "bank")
	docs, err := FromTraces(td)
	require.NoError(t, err)
	require.Len(t, docs, 2)
	require.Equal(t, "shop", docs[0].Name)
	require.False(t, docs[0].Subsegment)
	require.Equal(t, "bank", docs[1].Name)
	require.True(t, docs[1].Subsegment)
	require.Equal(t, docs[0].ID, docs[1].ParentID)
	require.Equal(t, SpanID{7: 0xff}, SpanID(docs[1].ID))
	require.Len(t, AssembleTrace(docs).Segments, 2, "the segment with the call in it, and the inferred one")
}

func TestOTLPSQLAndAWS(t *testing.T) {
	t.Parallel()
	td, s := otlpTrace(ptrace.SpanKindClient, 1)
	require.NoError(t, s.Attributes().FromRaw(map[string]any{
		"db.system": "postgresql", "db.name": "orders", "db.statement": "SELECT 1", "db.user": "u", "net.peer.name": "db", "db.connection_string": "postgresql://db:5432",
	}))
	doc := onlyDocument(t, td)
	require.Equal(t, map[string]any{"url": "postgresql://db:5432/orders", "database_type": "postgresql", "sanitized_query": "SELECT 1", "user": "u"}, doc["sql"])

	td, s = otlpTrace(ptrace.SpanKindClient, 1)
	require.NoError(t, s.Attributes().FromRaw(map[string]any{
		"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "GetItem", "aws.region": "eu-west-1", "aws.request_id": "r1",
		"aws.dynamodb.table_names": []any{"orders"}, "http.status_code": 500,
	}))
	doc = onlyDocument(t, td)
	require.Equal(t, map[string]any{"operation": "GetItem", "region": "eu-west-1", "request_id": "r1", "table_name": "orders"}, doc["aws"])
	require.Equal(t, true, doc["fault"])
	require.Equal(t, "DynamoDB", doc["name"])
}

func TestOTLPExceptions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ stack, want string }{
		"java": {
			"java.lang.IllegalStateException: x\n\tat com.example.A.run(A.java:10)\n\tat com.example.B.main(B.java)\nCaused by: y\n\t... 3 more",
			`[{"label":"com.example.A.run","path":"A.java","line":10},{"label":"com.example.B.main","path":"B.java"}]`,
		},
		"javascript": {"TypeError: x\n    at handler (/app/index.js:42:7)\n    at /app/run.js:3:1", `[{"label":"handler","path":"/app/index.js","line":42},{"path":"/app/run.js","line":3}]`},
		"python":     {"Traceback (most recent call last):\n  File \"/a.py\", line 3, in outer\n    inner()\n  File \"/b.py\", line 9, in inner\nValueError: x", `[{"path":"/b.py","line":9,"label":"inner"},{"path":"/a.py","line":3,"label":"outer"}]`},
		"dotnet":     {"System.Exception: x\n   at A.B.C() in C:\\src\\a.cs:line 12", `[{"label":"A.B.C()","path":"C:\\src\\a.cs","line":12}]`},
		"go":         {"goroutine 1 [running]:\nmain.f(0x1)\n\t/src/main.go:12 +0x1d\nmain.main()\n\t/src/main.go:20 +0x20", `[{"label":"main.f(0x1)","path":"/src/main.go","line":12},{"label":"main.main()","path":"/src/main.go","line":20}]`},
		"unknown":    {"line one\nline two", `[{"label":"line one"},{"label":"line two"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			td, s := otlpTrace(ptrace.SpanKindServer, 0)
			e := s.Events().AppendEmpty()
			e.SetName("exception")
			e.Attributes().PutStr("exception.type", "T")
			e.Attributes().PutStr("exception.message", "m")
			e.Attributes().PutStr("exception.stacktrace", c.stack)
			s.Status().SetCode(ptrace.StatusCodeError)
			doc := onlyDocument(t, td)
			require.Equal(t, true, doc["fault"])
			x := doc["cause"].(map[string]any)["exceptions"].([]any)[0].(map[string]any)
			require.Equal(t, "T", x["type"])
			require.Equal(t, "m", x["message"])
			require.Len(t, x["id"], 16)
			require.Equal(t, decode(t, c.want), x["stack"])
		})
	}
	td, s := otlpTrace(ptrace.SpanKindClient, 1)
	s.Status().SetCode(ptrace.StatusCodeError)
	s.Status().SetMessage("refused")
	s.Events().AppendEmpty().SetName("retry")
	doc := onlyDocument(t, td)
	x := doc["cause"].(map[string]any)["exceptions"].([]any)[0].(map[string]any)
	require.Equal(t, "refused", x["message"])
	require.Equal(t, true, x["remote"])
	require.Contains(t, doc["metadata"].(map[string]any)["default"], "otel.events")
}

func TestOTLPInvalid(t *testing.T) {
	t.Parallel()
	td, s := otlpTrace(ptrace.SpanKindServer, 0)
	good := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().AppendEmpty()
	s.CopyTo(good)
	s.SetSpanID(pcommon.SpanID{})
	docs, err := FromTraces(td)
	require.Len(t, docs, 1, "the good ones are kept")
	require.ErrorContains(t, err, "InvalidId")
	var failed *SpansError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, map[ErrorCode]int{ErrorInvalidID: 1}, failed.Codes)
	require.ErrorAs(t, err, new(*SegmentError))

	td, s = otlpTrace(ptrace.SpanKindServer, 0)
	m := s.Attributes().PutEmptyMap("deep")
	for range 100 {
		m = m.PutEmptyMap("x")
	}
	_, err = FromTraces(td)
	require.ErrorContains(t, err, "nests deeper")

	td = ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for range 10 {
		spans.AppendEmpty()
	}
	_, err = FromTraces(td)
	require.ErrorContains(t, err, "10 spans")
}

func TestOTLPInProgressAndLinks(t *testing.T) {
	t.Parallel()
	td, s := otlpTrace(ptrace.SpanKindServer, 0)
	s.SetEndTimestamp(0)
	l := s.Links().AppendEmpty()
	l.SetTraceID(pcommon.TraceID{0: 1})
	l.SetSpanID(pcommon.SpanID{0: 2})
	doc := onlyDocument(t, td)
	require.Equal(t, true, doc["in_progress"])
	require.Equal(t, []any{map[string]any{"trace_id": "1-01000000-000000000000000000000000", "id": "0200000000000000"}}, doc["links"])
	// Reading it as a document and going through a pipeline again changes nothing.
	docs, err := FromTraces(td)
	require.NoError(t, err)
	requireSameJSON(t, docs[0].JSON, roundTrip(t, docs[0].JSON)[0].JSON)
}
