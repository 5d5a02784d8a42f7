// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package cloudwatchlogs is CloudWatch Logs' vocabulary and its translation to and from OpenTelemetry log records:
// names and their rules, limits, ARNs, [ToLogs] for events that a client put, [FromLogs] for records that a
// pipeline delivers, and [Promote] for the members of a JSON message that are kept as columns.
//
// # Two kinds of records
//
// A record that [ToLogs] made is an event: its scope carries the attribute encoding.format=aws.cloudwatch and its
// body is the message. [FromLogs] gives back exactly that message, whatever processors added to the record or its
// resource on the way: what a client put is what it reads. Additions that are thereby lost are counted in the
// [Report]. The OpenTelemetry encoding of subscription filter payloads marks its records the same way.
//
// Any other record is telemetry that came as OTLP. When it has nothing but a body (no attributes, severity, trace
// context, scope, or resource attributes beside those that say where it belongs), its body is the message: a
// string as it is, a map or a list as JSON. Otherwise the message is a JSON object in the form in which
// CloudWatch's own OTLP endpoint stores records: resource, scope, timeUnixNano, observedTimeUnixNano,
// severityNumber, severityText, body, attributes, flags, traceId, spanId. Before these stand level, service,
// trace_id and span_id, so that one query finds OTLP records and JSON messages alike. Keys of maps are sorted, so
// equal records give equal messages.
package cloudwatchlogs
