// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func parseText(t *testing.T, s Settings, name, text string) *Set {
	t.Helper()
	set, err := Parse(s, name, []byte(text))
	require.NoError(t, err)
	return set
}

const terraformOfMany = `
provider "aws" {
  region = "us-east-1"
  default_tags { tags = { team = var.team, severity = "low" } }
}
variable "team" { default = "shop" }
variable "limits" {
  type    = map(number)
  default = { a = 1, b = 2 }
}
variable "hosts" {
  type = list(object({ name = string, busy = optional(number, 70) }))
}
data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
data "aws_sns_topic" "old" { name = "old-topic" }
locals {
  prefix = "${upper(substr(var.team, 0, 1))}${substr(var.team, 1, -1)}"
  topic  = "arn:aws:sns:${data.aws_region.here.name}:${data.aws_caller_identity.me.account_id}:t"
  hosts  = { for h in var.hosts : h.name => h }
}
resource "aws_sqs_queue" "work" { name = "work-${terraform.workspace}" }
resource "aws_cloudwatch_metric_alarm" "each" {
  for_each            = var.limits
  alarm_name          = "each-${each.key}"
  namespace           = "N"
  metric_name         = "m"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = length(keys(var.limits))
  threshold           = each.value
  comparison_operator = "LessThanThreshold"
  alarm_actions       = [local.topic, local.topic, data.aws_sns_topic.old.arn]
  alarm_description   = each.key == "a" ? null : ""
  tags                = { severity = "high" }
}
resource "aws_cloudwatch_metric_alarm" "counted" {
  count               = length(var.hosts)
  alarm_name          = format("host-%02d-%s", count.index, var.hosts[count.index].name)
  namespace           = "N"
  metric_name         = "m"
  dimensions          = merge({ Host = var.hosts[count.index].name }, count.index == 0 ? { First = "yes" } : {})
  extended_statistic  = "p99"
  period              = 60
  evaluation_periods  = 1
  threshold           = local.hosts[var.hosts[count.index].name].busy
  comparison_operator = "GreaterThanThreshold"
  actions_enabled     = false
  datapoints_to_alarm = 0
  evaluate_low_sample_count_percentiles = "ignore"
  treat_missing_data  = "ignore"
  lifecycle { ignore_changes = [tags] }
}
resource "aws_cloudwatch_composite_alarm" "all" {
  alarm_name = "all"
  alarm_rule = <<-EOT
    ${join(" OR ", [for k, v in aws_cloudwatch_metric_alarm.each : "ALARM(${v.alarm_name})"])}
    AND NOT ALARM("${aws_cloudwatch_metric_alarm.counted[0].arn}")
    OR AT_LEAST(1, ALARM, (${join(", ", aws_cloudwatch_metric_alarm.counted[*].alarm_name)}))
  EOT
  actions_suppressor {
    alarm            = aws_cloudwatch_metric_alarm.each["a"].id
    extension_period = 0
    wait_period      = 60
  }
}
`

func TestTerraform(t *testing.T) {
	t.Parallel()
	s := Settings{Account: "123456789012", Variables: map[string]string{"hosts": `[{name = "x"}, {name = "y", busy = 90}]`}}
	set := parseText(t, s, "main.tf", terraformOfMany)
	threshold := func(v float64) *float64 { return &v }
	actions := []string{"arn:aws:sns:us-east-1:123456789012:t", "arn:aws:sns:us-east-1:123456789012:old-topic"}
	tags := []alarm.Tag{{Key: "severity", Value: "high"}, {Key: "team", Value: "shop"}}
	each := func(name string, limit float64) *alarm.Definition {
		return &alarm.Definition{Name: name, ActionsEnabled: true, AlarmActions: actions, Tags: tags, Metric: &alarm.MetricAlarm{
			Namespace: "N", MetricName: "m", Statistic: "Sum", Period: 60, EvaluationPeriods: 2, Threshold: threshold(limit),
			ComparisonOperator: alarm.LessThanThreshold, TreatMissingData: alarm.Missing,
		}}
	}
	defaults := []alarm.Tag{{Key: "severity", Value: "low"}, {Key: "team", Value: "shop"}}
	host := func(name string, limit float64, dims ...cloudwatch.Dimension) *alarm.Definition {
		return &alarm.Definition{Name: name, Tags: defaults, Metric: &alarm.MetricAlarm{
			Namespace: "N", MetricName: "m", Dimensions: dims, ExtendedStatistic: "p99", Period: 60, EvaluationPeriods: 1,
			Threshold: threshold(limit), ComparisonOperator: alarm.GreaterThanThreshold, TreatMissingData: alarm.Ignore,
			EvaluateLowSampleCountPercentile: "ignore",
		}}
	}
	wait, extension := int32(60), int32(0)
	want := []*alarm.Definition{
		{Name: "all", ActionsEnabled: true, Tags: defaults, Composite: &alarm.CompositeAlarm{
			Rule: "ALARM(each-a) OR ALARM(each-b)\nAND NOT ALARM(\"arn:aws:cloudwatch:us-east-1:123456789012:alarm:host-00-x\")\n" +
				"OR AT_LEAST(1, ALARM, (host-00-x, host-01-y))\n",
			ActionsSuppressor: "each-a", WaitPeriod: &wait, ExtensionPeriod: &extension,
		}},
		each("each-a", 1), each("each-b", 2),
		host("host-00-x", 70, cloudwatch.Dimension{Name: "First", Value: "yes"}, cloudwatch.Dimension{Name: "Host", Value: "x"}),
		host("host-01-y", 90, cloudwatch.Dimension{Name: "Host", Value: "y"}),
	}
	require.Equal(t, want, byName(set))
	require.Equal(t, Source{File: "main.tf", Line: 23, Format: FormatTerraform, Name: `aws_cloudwatch_metric_alarm.each["a"]`}, set.Alarms[0].Source)
}

func TestTerraformJSON(t *testing.T) {
	t.Parallel()
	set := parseText(t, Settings{}, "main.tf.json", `{
  "variable": {"n": {"default": 3}},
  "resource": {"aws_cloudwatch_metric_alarm": {"a": {
    "alarm_name": "a-${var.n}", "namespace": "N", "metric_name": "m", "statistic": "Sum", "period": 60,
    "evaluation_periods": "${var.n}", "comparison_operator": "GreaterThanThreshold", "dimensions": {"k": "v"}
  }}}
}`)
	require.Len(t, set.Alarms, 1)
	a := set.Alarms[0].Alarm
	require.Equal(t, "a-3", a.Name)
	require.Equal(t, int32(3), a.Metric.EvaluationPeriods)
	require.InDelta(t, 0, *a.Metric.Threshold, 0, "the provider sends 0 when there is none")
	require.Equal(t, 3, set.Alarms[0].Source.Line)
}

func TestTerraformVariableFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	write("a.tf", `variable "one" {}
variable "two" {}
variable "three" {}
variable "four" {}
resource "aws_cloudwatch_composite_alarm" "c" {
  alarm_name = "${var.one}-${var.two}-${var.three}-${var.four}"
  alarm_rule = "TRUE"
}`)
	write("terraform.tfvars", "one = 1\ntwo = 1\nthree = 1\nfour = 1")
	write("x.auto.tfvars", "two = 2\nthree = 2\nfour = 2")
	named := write("prod.tfvars.json", `{"three": 3, "four": 3}`)
	set := load(t, Settings{VariableFiles: []string{named}, Variables: map[string]string{"four": "4"}}, dir)
	require.Equal(t, "1-2-3-4", set.Alarms[0].Alarm.Name)
	_, err := Load(Settings{Variables: map[string]string{"five": "5"}}, dir)
	require.ErrorContains(t, err, `the variable "five" is not declared by any module`)
}

func TestTerraformValues(t *testing.T) {
	t.Parallel()
	const text = `
resource "aws_lb" "web" {}
module "net" { source = "./net" }
resource "aws_cloudwatch_metric_alarm" "a" {
  alarm_name          = "a"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "m"
  dimensions          = { LoadBalancer = aws_lb.web.arn_suffix, Zone = module.net.zone, Topic = aws_sns_topic.undeclared.arn }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanThreshold"
}`
	set := parseText(t, Settings{Values: map[string]string{"aws_lb.web.arn_suffix": "app/web/1", "module.net.zone": "z"}}, "m.tf", text)
	require.Equal(t, []cloudwatch.Dimension{
		{Name: "LoadBalancer", Value: "app/web/1"}, {Name: "Topic", Value: "arn:aws:sns:us-east-1:000000000000:undeclared"}, {Name: "Zone", Value: "z"},
	}, set.Alarms[0].Alarm.Metric.Dimensions)
	require.Len(t, set.Notes, 2)
	_, err := Parse(Settings{}, "m.tf", []byte(text))
	require.ErrorContains(t, err, "aws_lb.web.arn_suffix is known after a deployment only: give a value for it")
}

// TestTerraformBounds are modules that ask for too much.
func TestTerraformBounds(t *testing.T) {
	t.Parallel()
	alarmWith := func(expression string) string {
		return "resource \"aws_cloudwatch_composite_alarm\" \"c\" {\n  alarm_name = \"c\"\n  alarm_rule = " + expression + "\n}\n"
	}
	var locals strings.Builder
	locals.WriteString("locals {\n  l0 = \"0123456789\"\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&locals, "  l%d = \"${local.l%d}${local.l%d}\"\n", i, i-1, i-1)
	}
	doubling := locals.String() + "}\n"
	for want, text := range map[string]string{
		"is larger than":           doubling + alarmWith("local.l59"),
		"nested deeper than":       alarmWith(strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500)),
		"nested deeper than 200":   alarmWith(strings.Repeat("!", 500) + "true"),
		"width of five digits":     alarmWith(`format("%99999d", 1)`),
		"must be at most 10000":    alarmWith(`indent(99999999, "a\nb")`),
		"combinations":             alarmWith(`jsonencode(setproduct(range(100), range(100), range(100)))`),
		"depends on more than 200": chain(400) + alarmWith("local.c399"),
	} {
		_, err := Parse(Settings{}, "m.tf", []byte(text))
		require.ErrorContains(t, err, want)
	}
}

func chain(n int) string {
	var text strings.Builder
	text.WriteString("locals {\n  c0 = \"TRUE\"\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&text, "  c%d = local.c%d\n", i, i-1)
	}
	return text.String() + "}\n"
}
