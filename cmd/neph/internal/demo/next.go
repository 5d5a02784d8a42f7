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
		out.Printf("  %s\n\n", out.Bold(title))
		for _, l := range lines {
			out.Println(strings.TrimRight("    "+l, " "))
		}
		out.Println()
	}
	start := res.Start.UTC().Format(time.RFC3339)
	out.Printf("%s\n\n", out.Bold("The collector stays up; try it from another terminal"))
	section("the aws CLI",
		"export AWS_ENDPOINT_URL="+target.Endpoint,
		"export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION="+target.Region,
		"",
		"aws logs tail /shop/payments --since 2h --filter-pattern ERROR   # the CLI's version 2",
		"aws logs filter-log-events --log-group-name /shop/payments --filter-pattern ERROR",
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
	section("an alarm, and a picture of what it watches",
		"aws cloudwatch put-metric-alarm --alarm-name visits --namespace Mine --metric-name Visits --statistic Sum --period 60 \\",
		"    --evaluation-periods 1 --threshold 3 --comparison-operator GreaterThanThreshold --treat-missing-data notBreaching",
		"aws cloudwatch put-metric-data --namespace Mine --metric-name Visits --value 5",
		"aws cloudwatch describe-alarms --query 'MetricAlarms[].[AlarmName,StateValue,StateReason]' --output text   # in two minutes",
		"aws cloudwatch get-metric-widget-image --metric-widget '{\"metrics\":[[\"Mine\",\"Visits\"]],\"stat\":\"Sum\",\"period\":60}' \\",
		"    --query MetricWidgetImage --output text | base64 -d > visits.png",
	)
	section("neph",
		"bin/neph tail /shop/orders --since 1h --follow",
		"bin/neph query 'stats count(*) as n, pct(duration_ms, 99) as p99 by service, bin(5m)' \\",
		"    --since 2h -g /shop/orders -g /shop/payments",
	)
	var others []string
	for _, o := range [][2]string{
		{"AWS_XRAY_DAEMON_ADDRESS=" + at.XRay, "X-Ray SDKs"},
		{"AWS_EMF_AGENT_ENDPOINT=tcp://" + at.EMF, "aws-embedded-metrics"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + at.OTLPHTTP, "OpenTelemetry SDKs"},
	} {
		others = append(others, fmt.Sprintf("%-52s # %s", o[0], o[1]))
	}
	section("other ways in", others...)
}
