// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import (
	"strings"
	"testing"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// benchmarkDocuments are as the libraries write them.
var benchmarkDocuments = map[string]string{
	"powertools": `{"_aws":{"Timestamp":1735689600000,"CloudWatchMetrics":[{"Namespace":"shop","Dimensions":[["service"]],` +
		`"Metrics":[{"Name":"orders","Unit":"Count"}]}]},"service":"booking","orders":[1.0]}`,
	"embedded-metrics": `{"LogGroup":"checkout-metrics","ServiceName":"checkout","ServiceType":"AWS::ECS::Container",` +
		`"executionEnvironment":"AWS_ECS_FARGATE","memorySize":"512","functionVersion":"$LATEST","logStreamId":"2025/01/01/[1]0123456789abcdef",` +
		`"traceId":"Root=1-67749d00-0123456789abcdef01234567","requestId":"7f1a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8","path":"/api/v1/orders",` +
		`"_aws":{"Timestamp":1735689600123,"LogGroupName":"checkout-metrics","LogStreamName":"task-0123456789",` +
		`"CloudWatchMetrics":[{"Dimensions":[["LogGroup","ServiceName","ServiceType"],["ServiceName"]],` +
		`"Metrics":[{"Name":"Latency","Unit":"Milliseconds"},{"Name":"Orders","Unit":"Count"},{"Name":"Size","Unit":"Bytes","StorageResolution":1}],` +
		`"Namespace":"aws-embedded-metrics"}]},"Latency":[12.5,14.25,90,12.5],"Orders":3,"Size":20480}`,
}

func BenchmarkExtract(b *testing.B) {
	for name, doc := range benchmarkDocuments {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(doc)))
			var data []cloudwatch.Datum
			for b.Loop() {
				res := Extract(data[:0], doc, 0, Options{})
				if data = res.Data; len(data) == 0 {
					b.Fatal(res.Report.Err())
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
		})
	}
}

func BenchmarkInspect(b *testing.B) {
	doc := benchmarkDocuments["embedded-metrics"]
	b.ReportAllocs()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, ok := Inspect(doc); !ok {
			b.Fatal("no JSON")
		}
	}
}

func BenchmarkExtractOther(b *testing.B) {
	doc := `{"level":"info","msg":"` + strings.Repeat("nothing to see here ", 25) + `","n":1}`
	b.ReportAllocs()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if Extract(nil, doc, 0, Options{}).EMF {
			b.Fatal("not EMF")
		}
	}
}
