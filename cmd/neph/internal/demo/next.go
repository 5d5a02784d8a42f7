// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/awsclient"
	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
)

// Next says what to try with a collector that keeps running.
func Next(out terminal.Output, target awsclient.Target, at Addresses, res *Result) {
	section := func(title string, lines ...string) {
		fmt.Fprintf(out, "  %s\n\n", out.Bold(title))
		for _, l := range lines {
			fmt.Fprintln(out, strings.TrimRight("    "+l, " "))
		}
		fmt.Fprintln(out)
	}
	start := res.Start.UTC().Format(time.RFC3339)
	fmt.Fprintf(out, "%s\n\n", out.Bold("The collector stays up; try it from another terminal"))
	section("the aws CLI",
		"export AWS_ENDPOINT_URL="+target.Endpoint,
		"export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION="+target.Region,
		"",
		"aws logs tail /shop/payments --since 1h --filter-pattern ERROR",
		"aws cloudwatch list-metrics --namespace Shop",
		"aws cloudwatch get-metric-statistics --namespace Shop --metric-name OrderLatency --period 300 \\",
		"    --statistics Average Maximum SampleCount --dimensions Name=Service,Value=orders Name=Run,Value="+res.Run+" \\",
		"    --start-time "+start+" --end-time $(date -u +%Y-%m-%dT%H:%M:%SZ)",
		"aws xray batch-get-traces --trace-ids "+res.Trace,
	)
	section("boto3",
		"import boto3",
		"aws = dict(endpoint_url=\""+target.Endpoint+"\", region_name=\""+target.Region+"\",",
		"           aws_access_key_id=\"test\", aws_secret_access_key=\"test\")",
		"cloudwatch = boto3.client(\"cloudwatch\", **aws)",
		"cloudwatch.put_metric_data(Namespace=\"Mine\", MetricData=[{\"MetricName\": \"Visits\", \"Value\": 1, \"Unit\": \"Count\"}])",
		"print(cloudwatch.list_metrics(Namespace=\"Mine\")[\"Metrics\"])",
	)
	section("neph",
		"bin/neph tail /shop/orders --follow",
		"bin/neph query 'stats count(*) as n, pct(duration_ms, 99) as p99 by service, bin(5m)' \\",
		"    -g /shop/orders -g /shop/payments -g /shop/inventory",
	)
	section("other ways in",
		"AWS_XRAY_DAEMON_ADDRESS="+at.XRay+"          # X-Ray SDKs",
		"AWS_EMF_AGENT_ENDPOINT=tcp://"+at.EMF+"    # aws-embedded-metrics",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://"+at.OTLPHTTP+"  # OpenTelemetry SDKs",
	)
}
