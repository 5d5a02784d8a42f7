// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"strconv"
)

// Segment is a segment or subsegment as it is read: what X-Ray's own features look at. The document's text
// holds the rest.
type Segment struct {
	Name       string
	ID         SpanID
	ParentID   SpanID  // of an embedded subsegment too: its owner
	TraceID    TraceID // the same throughout a document
	Start, End int64   // Unix ns; End is 0 when there is none
	// Subsegment is true for independent and embedded subsegments.
	Subsegment bool
	InProgress bool
	Inferred   bool
	Fault      bool
	Error      bool
	Throttle   bool
	Traced     bool

	Namespace   string // aws, remote or ""
	Origin      string
	User        string
	ResourceARN string
	HTTP        HTTP
	AWS         AWS
	Annotations []Annotation
	Exceptions  []Exception
	Cause       string // the id of an exception recorded elsewhere in the document
	Links       []Link
	Subsegments []*Segment
}

// HTTP is the request that a segment served or that a subsegment made.
type HTTP struct {
	Method, URL, UserAgent, ClientIP string

	Status int32 // 0 when there is none
}

// IsZero is true when the document says nothing of HTTP.
func (h HTTP) IsZero() bool { return h == HTTP{} }

// AWS is what a document says about AWS resources.
type AWS struct {
	AccountID, Operation, Region, RequestID, TableName, QueueURL, BucketName, TopicARN, FunctionName string

	InstanceID string
	// AvailabilityZones are those of the instance and of the container.
	AvailabilityZones []string
}

// Annotation is an indexed value: a string, a number or a boolean. Others are not indexed.
type Annotation struct {
	Key string
	// Value is a string, a float64 or a bool.
	Value any
}

// Exception is one entry of a cause.
type Exception struct {
	ID, Type, Message string
	Remote            bool
}

// Link ties a segment to another trace.
type Link struct {
	TraceID       TraceID
	ID            SpanID
	ReferenceType string // parent or child
}

// ParseSegment reads a document as a client sends it. The error is a [*SegmentError].
func ParseSegment(doc string) (*Segment, error) {
	if len(doc) > MaxDocumentSize {
		return nil, &SegmentError{Code: ErrorSizeLimit, Detail: strconv.Itoa(len(doc)) + " bytes"}
	}
	t := getTree()
	defer putTree(t)
	return t.segment(doc)
}

func (t *tree) segment(doc string) (*Segment, error) {
	if err := t.parse(doc); err != nil {
		return nil, &SegmentError{Code: ErrorParse, Detail: err.Error()}
	}
	var m members
	if t.nodes[0].kind == kindObject {
		m = t.members(0)
	}
	h, fail := t.documentHead(&m)
	if fail != nil {
		return nil, fail
	}
	s := &Segment{TraceID: h.trace, Subsegment: h.subsegment}
	t.fill(s, &m, &h)
	return s, nil
}

func (t *tree) fill(s *Segment, m *members, h *head) {
	s.Name, s.ID, s.ParentID, s.Start, s.End = h.name, h.id, h.parent, h.start, h.end
	s.InProgress = t.partial(m, h)
	s.Inferred, _ = t.boolAt(m.inferred)
	s.Fault, _ = t.boolAt(m.fault)
	s.Error, _ = t.boolAt(m.error)
	s.Throttle, _ = t.boolAt(m.throttle)
	s.Traced, _ = t.boolAt(m.traced)
	s.Namespace, _ = t.strAt(m.namespace)
	s.Origin, _ = t.strAt(m.origin)
	s.User, _ = t.strAt(m.user)
	s.ResourceARN, _ = t.strAt(m.resourceARN)
	s.HTTP.Status = t.httpStatus(m.http)
	if request := t.memberAt(m.http, "request"); request != 0 {
		s.HTTP.Method = t.memberString(request, "method")
		s.HTTP.URL = t.memberString(request, "url")
		s.HTTP.UserAgent = t.memberString(request, "user_agent")
		s.HTTP.ClientIP = t.memberString(request, "client_ip")
	}
	if m.aws != 0 {
		t.fillAWS(&s.AWS, m.aws)
	}
	if t.is(m.annotations, kindObject) {
		s.Annotations = t.indexed(m.annotations)
	}
	t.fillCause(s, m.cause)
	if t.is(m.links, kindArray) {
		s.Links = t.linkList(m.links)
	}
	if !t.is(m.subsegments, kindArray) {
		return
	}
	for x := t.nodes[m.subsegments].child; x != 0; x = t.nodes[x].next {
		p := pending{node: x}
		if !t.embedded(&p) {
			continue
		}
		sub := &Segment{TraceID: s.TraceID, Subsegment: true}
		p.h.parent = s.ID
		t.fill(sub, &p.m, &p.h)
		s.Subsegments = append(s.Subsegments, sub)
	}
}

func (t *tree) fillAWS(a *AWS, n int32) {
	a.AccountID = t.memberString(n, "account_id")
	a.Operation = t.memberString(n, "operation")
	a.Region = t.memberString(n, "region")
	a.RequestID = t.memberString(n, "request_id")
	a.TableName = t.memberString(n, "table_name")
	a.QueueURL = t.memberString(n, "queue_url")
	a.BucketName = t.memberString(n, "bucket_name")
	a.TopicARN = t.memberString(n, "topic_arn")
	a.FunctionName = t.memberString(n, "function_name")
	if a.TableName == "" {
		if names := t.member(n, "table_names"); t.is(names, kindArray) && t.count(names, 1) == 1 {
			a.TableName, _ = t.str(t.nodes[names].child)
		}
	}
	for _, host := range [...]string{"ec2", "ecs"} {
		h := t.member(n, host)
		if h == 0 {
			continue
		}
		if zone := t.memberString(h, "availability_zone"); zone != "" {
			a.AvailabilityZones = append(a.AvailabilityZones, zone)
		}
		if id := t.memberString(h, "instance_id"); id != "" {
			a.InstanceID = id
		}
	}
}

func (t *tree) indexed(n int32) []Annotation {
	var out []Annotation
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		a := Annotation{Key: t.key(x)}
		switch t.nodes[x].kind {
		case kindString:
			a.Value, _ = t.str(x)
		case kindTrue, kindFalse:
			a.Value = t.nodes[x].kind == kindTrue
		case kindNumber:
			f, err := strconv.ParseFloat(t.raw(x), 64)
			if err != nil {
				continue
			}
			a.Value = f
		default:
			continue
		}
		out = append(out, a)
	}
	return out
}

func (t *tree) fillCause(s *Segment, n int32) {
	if n == 0 {
		return
	}
	if id, ok := t.str(n); ok {
		s.Cause = id
		return
	}
	list := t.member(n, "exceptions")
	if !t.is(list, kindArray) {
		return
	}
	for x := t.nodes[list].child; x != 0; x = t.nodes[x].next {
		if t.nodes[x].kind != kindObject {
			continue
		}
		remote, _ := t.boolAt(t.member(x, "remote"))
		s.Exceptions = append(s.Exceptions, Exception{
			ID: t.memberString(x, "id"), Type: t.memberString(x, "type"), Message: t.memberString(x, "message"), Remote: remote,
		})
	}
}

func (t *tree) linkList(n int32) []Link {
	var out []Link
	for x := t.nodes[n].child; x != 0; x = t.nodes[x].next {
		if t.nodes[x].kind != kindObject {
			continue
		}
		trace, err := ParseTraceID(t.memberString(x, "trace_id"))
		if err != nil {
			continue
		}
		span, err := ParseSpanID(t.memberString(x, "id"))
		if err != nil {
			continue
		}
		l := Link{TraceID: trace, ID: span}
		if a := t.member(x, "attributes"); a != 0 {
			l.ReferenceType = t.memberString(a, "reference_type")
		}
		out = append(out, l)
	}
	return out
}
