// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"fmt"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// smallSegment is what the Python SDK sends for a traced function with one annotation.
const smallSegment = `{"name":"orders","id":"%016x","trace_id":"1-65535c00-0123456789abcdef%08x","start_time":1700000000.1234567,"end_time":1700000000.2234567,"in_progress":false,` +
	`"http":{"request":{"method":"GET","url":"https://orders.example.com/orders/7","user_agent":"python-requests/2.31","client_ip":"10.0.0.7"},"response":{"status":200,"content_length":512}},` +
	`"aws":{"xray":{"sdk":"X-Ray for Python","sdk_version":"2.14.0"}},"service":{"runtime":"CPython","runtime_version":"3.12.1"},"annotations":{"customer":"c-42"}}`

func smallSegments(n int) []string {
	docs := make([]string, n)
	for i := range docs {
		docs[i] = fmt.Sprintf(smallSegment, i+1, i+1)
	}
	return docs
}

func perSegment(b *testing.B, n int) {
	b.Helper()
	b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds(), "segments/s")
}

func BenchmarkToTraces(b *testing.B) {
	docs := smallSegments(50)
	b.ReportAllocs()
	b.SetBytes(int64(50 * len(docs[0])))
	for b.Loop() {
		td, refused := ToTraces("123456789012", "eu-west-1", docs)
		if td.SpanCount() != 50 || refused != nil {
			b.Fatal("lost segments")
		}
	}
	perSegment(b, 50)
}

func BenchmarkFromTraces(b *testing.B) {
	td, _ := ToTraces("123456789012", "eu-west-1", smallSegments(50))
	b.ReportAllocs()
	for b.Loop() {
		docs, err := FromTraces(td)
		if len(docs) != 50 || err != nil {
			b.Fatal("lost segments")
		}
	}
	perSegment(b, 50)
}

func BenchmarkToTracesLarge(b *testing.B) {
	doc := segmentFiles(b)["testdata/segments/web_ec2.json"]
	b.ReportAllocs()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if td, _ := ToTraces("1", "r", []string{doc}); td.SpanCount() != 4 {
			b.Fatal("lost spans")
		}
	}
	perSegment(b, 1)
}

func BenchmarkParseSegment(b *testing.B) {
	doc := smallSegments(1)[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseSegment(doc); err != nil {
			b.Fatal(err)
		}
	}
	perSegment(b, 1)
}

func BenchmarkSummarize(b *testing.B) {
	td, _ := ToTraces("1", "r", []string{segmentFiles(b)["testdata/segments/web_ec2.json"]})
	docs, _ := FromTraces(td)
	b.ReportAllocs()
	for b.Loop() {
		t := AssembleTrace(docs)
		if len(Summarize(t).ServiceIds) == 0 {
			b.Fatal("no services")
		}
	}
}

func BenchmarkFromTracesOTLP(b *testing.B) {
	td, s := otlpTrace(ptrace.SpanKindServer, 1)
	s.Attributes().PutStr("http.request.method", "GET")
	s.Attributes().PutStr("url.path", "/orders/7")
	s.Attributes().PutStr("server.address", "shop.example.com")
	s.Attributes().PutInt("http.response.status_code", 200)
	s.Attributes().PutStr("http.route", "/orders/{id}")
	spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	for range 49 {
		s.CopyTo(spans.AppendEmpty())
	}
	b.ReportAllocs()
	for b.Loop() {
		docs, err := FromTraces(td)
		if len(docs) != 50 || err != nil {
			b.Fatal("lost spans")
		}
	}
	perSegment(b, 50)
}
