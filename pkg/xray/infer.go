// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import "strings"

// maxInferred bounds the segments that are inferred for one trace.
const maxInferred = 10_000

// infer adds a segment for every call whose other side sent none.
func (t *Trace) infer() {
	answered := make(map[SpanID]bool)
	for i := range t.Segments {
		if s := t.Segments[i].Segment; !s.Subsegment && !s.ParentID.IsZero() {
			answered[s.ParentID] = true
		}
	}
	real := len(t.Segments)
	tree, read := getTree(), getTree()
	defer putTree(tree)
	defer putTree(read)
	for i := range real {
		s := &t.Segments[i]
		if tree.parse(s.Document) != nil {
			continue
		}
		t.inferFrom(tree, read, 0, s, answered, s.Segment.Subsegment)
	}
}

func (t *Trace) inferFrom(tree, read *tree, n int32, from *TraceSegment, answered map[SpanID]bool, sub bool) {
	if sub {
		if doc := t.inferred(tree, n, answered); doc != "" && len(t.Segments) < maxInferred {
			if s, err := read.segment(doc); err == nil {
				t.Segments = append(t.Segments, TraceSegment{Account: from.Account, Document: doc, Segment: s})
			}
		}
	}
	list := tree.member(n, "subsegments")
	if !tree.is(list, kindArray) {
		return
	}
	account := TraceSegment{Account: from.Account}
	for x := tree.nodes[list].child; x != 0; x = tree.nodes[x].next {
		t.inferFrom(tree, read, x, &account, answered, true)
	}
}

// inferred is the document of the segment that the subsegment at node n implies, or "".
func (t *Trace) inferred(tree *tree, n int32, answered map[SpanID]bool) string {
	ns := tree.memberString(n, "namespace")
	if ns != "aws" && ns != "remote" {
		return ""
	}
	p := pending{node: n}
	if !tree.embedded(&p) || answered[p.h.id] {
		return ""
	}
	w := docWriter{buf: make([]byte, 0, 512)}
	w.buf = append(w.buf, '{')
	w.spanID("id", p.h.id.derive("inferred"))
	w.str("name", cleanName(p.h.name))
	w.traceID(t.ID)
	w.spanID("parent_id", p.h.id)
	w.bool("inferred", true)
	for _, m := range [...]struct {
		name string
		n    int32
	}{
		{"start_time", p.m.startTime},
		{"end_time", p.m.endTime},
		{"in_progress", p.m.inProgress},
		{"fault", p.m.fault},
		{"error", p.m.error},
		{"throttle", p.m.throttle},
		{"cause", p.m.cause},
		{"http", p.m.http},
		{"aws", p.m.aws},
	} {
		if m.n != 0 {
			w.raw(m.name, tree.raw(m.n))
		}
	}
	if ns == "aws" {
		var a AWS
		if p.m.aws != 0 {
			tree.fillAWS(&a, p.m.aws)
		}
		w.str("origin", inferredOrigin(p.h.name, &a))
	}
	w.buf = append(w.buf, '}')
	return string(w.buf)
}

// inferredOrigin is the resource type behind a call by an AWS SDK. The SDKs spell services differently.
func inferredOrigin(service string, a *AWS) string {
	name := serviceName(service)
	switch {
	case name == "DynamoDB" && a.TableName != "":
		return "AWS::DynamoDB::Table"
	case name == "SQS" && a.QueueURL != "":
		return "AWS::SQS::Queue"
	case name == "S3" && a.BucketName != "":
		return "AWS::S3::Bucket"
	}
	return "AWS::" + name
}

// serviceName brings the SDKs' spellings of a service (dynamodb, AmazonDynamoDBv2, DynamoDB) to one.
func serviceName(s string) string {
	key := strings.ToLower(strings.ReplaceAll(s, " ", ""))
	key = strings.TrimPrefix(strings.TrimPrefix(key, "amazon"), "aws")
	switch key {
	case "dynamodb", "dynamodbv2":
		return "DynamoDB"
	case "sqs":
		return "SQS"
	case "sns":
		return "SNS"
	case "s3", "simplestorageservice":
		return "S3"
	case "lambda":
		return "Lambda"
	case "kinesis":
		return "Kinesis"
	case "firehose", "kinesisfirehose":
		return "Firehose"
	case "sts", "securitytokenservice":
		return "STS"
	case "secretsmanager":
		return "SecretsManager"
	case "ssm":
		return "SSM"
	case "events", "eventbridge", "cloudwatchevents":
		return "Events"
	case "states", "stepfunctions", "sfn":
		return "StepFunctions"
	}
	return s
}
