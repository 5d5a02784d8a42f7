// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Event is one log event as it is to be stored, with the columns promoted from its message ([PromotedFields]).
type Event struct {
	Account, Region string
	Group, Stream   string
	Timestamp       int64 // Unix ms
	Ingested        int64 // Unix ms
	Message         string

	Level, Service  string
	TraceID, SpanID string // hex, lower case; "" when there is none
	DurationMs      *float64
	Status          *int32
}

// Templates of names for records that name no group or stream, unless [FromOptions] has others.
var (
	DefaultGroupTemplate  = MustTemplate("/otel/{service.name}")
	DefaultStreamTemplate = MustTemplate("{service.instance.id|host.name|host.id}")
)

// FromOptions are what [FromLogs] cannot know from the records.
type FromOptions struct {
	// DefaultGroup and DefaultStream name the group and stream of records whose resource has no
	// aws.log.group.names or aws.log.stream.names. The zero Template means DefaultGroupTemplate and
	// DefaultStreamTemplate. Characters that a name may not hold become '_'.
	DefaultGroup, DefaultStream Template
	// DefaultAccount and DefaultRegion own records whose resource has no cloud.account.id of 12 digits or no
	// cloud.region, or is of another cloud than AWS.
	DefaultAccount, DefaultRegion string
	// Now (Unix ms) is when the records are ingested. Records that are events keep their own time of ingestion.
	Now int64
	// BodyOnly makes the body the message of every record; what else the record has is not kept (and counted in
	// Report.Reduced).
	BodyOnly bool
}

// Reason says why a record was rejected.
type Reason string

// Reasons.
const (
	ReasonEmpty      Reason = "empty message"
	ReasonTooLarge   Reason = "message too large"
	ReasonTooDeep    Reason = "value nested too deeply"
	ReasonGroupName  Reason = "invalid log group name"
	ReasonStreamName Reason = "invalid log stream name"
)

// Report says what became of the records that are not, or not wholly, in the events.
type Report struct {
	// Rejected counts records without an event, by reason.
	Rejected map[Reason]int
	// Reduced counts records whose message does not hold everything the record had: events that gained attributes
	// in the pipeline, or records with more than a body under FromOptions.BodyOnly.
	Reduced int
}

// RejectedRecords is the number of records without an event.
func (r *Report) RejectedRecords() int {
	n := 0
	for _, c := range r.Rejected {
		n += c
	}
	return n
}

// Err is an error that tells of the rejected records, or nil.
func (r *Report) Err() error {
	if len(r.Rejected) == 0 {
		return nil
	}
	var b strings.Builder
	for _, reason := range []Reason{ReasonEmpty, ReasonTooLarge, ReasonTooDeep, ReasonGroupName, ReasonStreamName} {
		if n := r.Rejected[reason]; n > 0 {
			if b.Len() > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%s (%d)", reason, n)
		}
	}
	return fmt.Errorf("%d log records rejected: %s", r.RejectedRecords(), b.String())
}

func (r *Report) reject(reason Reason, n int) {
	if n == 0 {
		return
	}
	if r.Rejected == nil {
		r.Rejected = make(map[Reason]int)
	}
	r.Rejected[reason] += n
}

// FromLogs makes events of log records, in their order. See the package's description for what becomes the message.
func FromLogs(ld plog.Logs, opts FromOptions) ([]Event, Report) {
	if opts.DefaultGroup.IsZero() {
		opts.DefaultGroup = DefaultGroupTemplate
	}
	if opts.DefaultStream.IsZero() {
		opts.DefaultStream = DefaultStreamTemplate
	}
	var report Report
	events := make([]Event, 0, ld.LogRecordCount())
	for i := range ld.ResourceLogs().Len() {
		rl := ld.ResourceLogs().At(i)
		res, reason := resourceOf(rl.Resource(), &opts)
		for j := range rl.ScopeLogs().Len() {
			sl := rl.ScopeLogs().At(j)
			if reason != "" {
				report.reject(reason, sl.LogRecords().Len())
				continue
			}
			sc := scope{
				resource: &res,
				bodyOnly: opts.BodyOnly,
				now:      opts.Now,
				scope:    sl.Scope(),
				event:    isEventScope(sl.Scope()),
			}
			sc.bare = res.bare && isEmptyScope(sl.Scope())
			for k := range sl.LogRecords().Len() {
				events = sc.appendEvent(events, sl.LogRecords().At(k), &report)
			}
		}
	}
	return events, report
}

// resource is what all records of a resource share.
type resource struct {
	account, region, group, stream string
	service                        string
	attrs                          pcommon.Map
	// bare: it has no attributes but those that say where its records belong.
	bare bool
}

func resourceOf(r pcommon.Resource, opts *FromOptions) (resource, Reason) {
	res := resource{
		account: opts.DefaultAccount, region: opts.DefaultRegion,
		attrs: r.Attributes(), bare: true,
	}
	var group, stream, account, region string
	provider := ProviderAWS
	for k, v := range r.Attributes().All() {
		switch k {
		case AttributeProvider:
			provider = v.AsString()
		case AttributeAccount:
			account = v.AsString()
		case AttributeRegion:
			region = v.AsString()
		case AttributeGroupNames:
			group = firstString(v)
		case AttributeStreamNames:
			stream = firstString(v)
		case AttributeGroupARNs, AttributeStreamARNs:
		default:
			res.bare = false
			if k == "service.name" && v.Type() == pcommon.ValueTypeStr {
				res.service = validText(v.Str())
			}
		}
	}
	if provider == ProviderAWS {
		if isAccount(account) {
			res.account = account
		}
		if region != "" {
			res.region = region
		}
	}
	switch {
	case group == "":
		res.group = sanitizeGroup(opts.DefaultGroup.expand(res.attrs))
	case !ValidGroupName(group):
		return res, ReasonGroupName
	default:
		res.group = group
	}
	switch {
	case stream == "":
		res.stream = sanitizeStream(opts.DefaultStream.expand(res.attrs))
	case !ValidStreamName(stream) || !utf8.ValidString(stream):
		return res, ReasonStreamName
	default:
		res.stream = stream
	}
	return res, ""
}

// scope is what all records of a scope share.
type scope struct {
	*resource
	scope    pcommon.InstrumentationScope
	bodyOnly bool
	now      int64
	event    bool   // its records are events
	bare     bool   // resource and scope say nothing that would have to be kept
	prefix   []byte // JSON of resource and scope, made at the first need
	buf      []byte
	tooDeep  bool // a value of the record, or of resource or scope, is nested too deeply
}

func (sc *scope) appendEvent(events []Event, r plog.LogRecord, report *Report) []Event {
	e := Event{
		Account: sc.account, Region: sc.region, Group: sc.group, Stream: sc.stream,
		Timestamp: millis(r.Timestamp()), Ingested: sc.now,
	}
	if e.Timestamp == 0 {
		e.Timestamp = millis(r.ObservedTimestamp())
	}
	if e.Timestamp == 0 {
		e.Timestamp = sc.now
	}
	switch {
	case sc.event:
		if t := millis(r.ObservedTimestamp()); t != 0 {
			e.Ingested = t
		}
		if !sc.resource.bare || r.Attributes().Len() > 0 {
			report.Reduced++
		}
		e.Message = sc.bodyText(r.Body())
	case sc.bare && isBare(r):
		e.Message = sc.bodyText(r.Body())
	case sc.bodyOnly:
		report.Reduced++
		e.Message = sc.bodyText(r.Body())
	default:
		e.Message = sc.document(r)
	}
	switch {
	case sc.tooDeep:
		// The JSON of resource and scope, once made without a part, must not be used again.
		sc.tooDeep, sc.prefix = false, nil
		report.reject(ReasonTooDeep, 1)
		return events
	case e.Message == "":
		report.reject(ReasonEmpty, 1)
		return events
	case len(e.Message)+EventOverhead > MaxEventBytes:
		report.reject(ReasonTooLarge, 1)
		return events
	}
	p := Promote(e.Message)
	e.Level, e.Service, e.TraceID, e.SpanID = p.Level, p.Service, p.TraceID, p.SpanID
	e.DurationMs, e.Status = p.DurationMs, p.Status
	return append(events, e)
}

// bodyText is a body as a message: texts as they are, everything else as JSON.
func (sc *scope) bodyText(body pcommon.Value) string {
	switch body.Type() {
	case pcommon.ValueTypeEmpty:
		return ""
	case pcommon.ValueTypeStr:
		return validText(body.Str())
	case pcommon.ValueTypeBytes: // base64 without quotes
		return body.AsString()
	}
	sc.buf = sc.appendValue(sc.buf[:0], body, 0)
	return string(sc.buf)
}

func isEventScope(s pcommon.InstrumentationScope) bool {
	v, ok := s.Attributes().Get(AttributeFormat)
	return ok && v.Type() == pcommon.ValueTypeStr && strings.HasPrefix(v.Str(), FormatEvent)
}

func isEmptyScope(s pcommon.InstrumentationScope) bool {
	return s.Name() == "" && s.Version() == "" && s.Attributes().Len() == 0
}

// isBare reports whether a record has nothing but times and a body.
func isBare(r plog.LogRecord) bool {
	return r.Attributes().Len() == 0 && r.SeverityNumber() == plog.SeverityNumberUnspecified &&
		r.SeverityText() == "" && r.TraceID().IsEmpty() && r.SpanID().IsEmpty() && r.Flags() == 0 &&
		r.EventName() == "" && r.DroppedAttributesCount() == 0
}

// firstString is the first element of an array of names, or a name alone.
func firstString(v pcommon.Value) string {
	if v.Type() != pcommon.ValueTypeSlice {
		return v.AsString()
	}
	if v.Slice().Len() == 0 {
		return ""
	}
	return v.Slice().At(0).AsString()
}

func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func millis(t pcommon.Timestamp) int64 { return int64(t / 1_000_000) }

// validText replaces each byte that is no UTF-8 by U+FFFD, as JSON encoders of AWS's clients do.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
