// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package definitions reads alarms from the files that people keep them in:
//
//   - YAML or JSON in CloudFormation's own property names, the native form (see below);
//   - CloudFormation templates, JSON or YAML, with parameters, conditions, mappings and functions;
//   - Terraform: aws_cloudwatch_metric_alarm and aws_cloudwatch_composite_alarm, with variables, locals, references,
//     count, for_each and functions;
//   - the JSON that `aws cloudwatch describe-alarms` prints.
//
// A property that is not known is an error, as is a value that cannot be told before a deployment. Everything that is
// wrong with the files is reported together, with file, line and property.
//
// # The native form
//
// A document has Alarms and MuteRules. Each is a list, or a map whose keys are the names where the properties give none:
//
//	Alarms:
//	  high-cpu:
//	    Namespace: AWS/EC2
//	    MetricName: CPUUtilization
//	    Statistic: Average
//	    Period: 300
//	    EvaluationPeriods: 3
//	    Threshold: 80
//	    ComparisonOperator: GreaterThanThreshold
//	  - # or, in a list
//	    AlarmName: both
//	    AlarmRule: ALARM(high-cpu) AND ALARM(errors)
//
// An alarm with an AlarmRule is a composite one. A resource of a template, {Type: …, Properties: …}, may stand in the
// place of the properties. Functions of CloudFormation belong in templates and are errors here.
//
// # What a deployment would know
//
// A template or module refers to things that exist after it was deployed only. Of a topic, queue, function or table the
// name or ARN is put together from what the file says of it, and from the name of the resource where it says nothing.
// What cannot be put together, such as the ARN suffix of a load balancer, is an error that names it, unless
// [Settings.Values] holds it.
package definitions
