// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package xray knows AWS X-Ray: segment documents, trace ids, the tracing header, traces as the read API
// returns them, and the default sampling rule.
//
// Inside a pipeline X-Ray data is pdata. [ToTraces] makes spans of segment documents and [FromTraces] makes
// documents of spans, so that a document that came in goes out as the same JSON: what OpenTelemetry has a name
// for travels in semantic conventions, everything else in attributes under aws.xray. Spans that never were
// X-Ray documents (from OTLP) become documents as the AWS exporters make them.
//
// For reads, [AssembleTrace] puts the documents of one trace together and [Summarize] describes it.
package xray
