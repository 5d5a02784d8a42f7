// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package store is the contract between Nephoscope and the database that keeps its telemetry.
//
// An engine (package duckdb is the embedded one) implements [Store]. Everything above it, the AWS
// read APIs, the exporter, the command line, sees this package only. The contract holds no engine's
// SQL: languages are compiled against a [Dialect] that the engine hands out.
//
// Rules that every engine keeps:
//
//   - A Write method returns nil only when what it was given is durable: it survives kill -9.
//   - A Write is all or nothing for the rows of one UTC day; an error says how many rows of the call
//     were kept ([PartialWriteError]).
//   - A Write whose context ends before its commit has begun returns the context's error and keeps nothing; afterwards
//     it waits for the commit.
//   - Reads see every write that returned before they started.
//   - Time ranges are half-open, [Start, End), in Unix milliseconds for logs and nanoseconds for traces.
package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Store keeps logs, metrics and traces, and answers for them.
type Store interface {
	LogStore
	MetricStore
	TraceStore

	// Stats reports sizes and health, for the console and the self-metrics.
	Stats(ctx context.Context) (Stats, error)
}

// Tenant is whose telemetry a row is.
type Tenant = cloudwatch.Tenant

// ErrUnavailable is returned, wrapped, when the store cannot accept writes for now: its disk is full, or
// its queue is. The caller may retry; nothing of the call was kept unless a [PartialWriteError] says so.
var ErrUnavailable = errors.New("store unavailable")

// ErrClosed is returned after the store was closed.
var ErrClosed = errors.New("store closed")

// PartialWriteError says that a write that touched several days kept some of them.
type PartialWriteError struct {
	// Kept[i] is true when row i of the call is durable.
	Kept []bool
	Err  error
}

func (e *PartialWriteError) Error() string {
	n := 0
	for _, k := range e.Kept {
		if k {
			n++
		}
	}
	return fmt.Sprintf("kept %d of %d rows: %v", n, len(e.Kept), e.Err)
}

func (e *PartialWriteError) Unwrap() error { return e.Err }

// Stats is a snapshot of the store's files and memory.
type Stats struct {
	Engine    string
	Days      []DayStats
	SetAside  []string // names of files found corrupt and moved aside
	ReadOnly  bool     // true while the disk is full
	DiskBytes int64
}

// DayStats is one file: a UTC day of one signal.
type DayStats struct {
	Day    string // 2026-11-21
	Signal string // logs, metrics or traces
	Rows   int64
	Bytes  int64
}

// LogRecord is one log event as it is kept.
type LogRecord struct {
	Tenant
	Group     string
	Stream    string
	Timestamp int64 // Unix ms, the client's
	Ingested  int64 // Unix ms, when it was accepted
	// Seq orders events of equal Timestamp and Ingested and names a record forever. Writers leave it 0:
	// the engine assigns it, rising in order of arrival. Readers get it set.
	Seq     int64
	Message string // the exact string received

	// Promoted fields, found in the message or on the record by the exporter. The zero value means
	// that the event has no such field.
	Level      string
	Service    string
	TraceID    string // 32 hex digits, W3C order, or "" (X-Ray's 1-8-24 form is normalised to it)
	SpanID     string
	DurationMs *float64
	Status     *int32
}

// LogGroupRange selects the events of one group, less what its retention and deletions hide.
type LogGroupRange struct {
	Group string
	// NotBefore hides events with Timestamp < NotBefore (Unix ms): the group's retention. 0 hides none.
	NotBefore int64
	// IngestedAfter hides events with Ingested <= IngestedAfter (Unix ms): the group was deleted then and
	// made anew. 0 hides none.
	IngestedAfter int64
	// DeletedStreams hides events of a stream with Ingested <= the value (Unix ms).
	DeletedStreams map[string]int64
}

// LogSelection is the part of a log query that decides which rows are looked at.
type LogSelection struct {
	Tenant Tenant
	// Groups selects groups; an empty list selects nothing.
	Groups []LogGroupRange
	// Streams, when not nil, restricts to these streams; an empty, non-nil list selects nothing.
	Streams []string
	// StreamPrefix, when not "", restricts to streams that begin with it.
	StreamPrefix string
	// Start and End are Unix ms, half-open.
	Start, End int64
	// Contains are texts that every wanted message contains (case-sensitive, byte-exact). The engine
	// filters by them, and prunes by those that hold whole tokens.
	Contains []string
	// Tokens are texts whose tokens (longest runs of ASCII letters, digits, underscores and bytes beyond ASCII) every
	// wanted message holds as whole tokens. The engine prunes by them only: they do not filter.
	Tokens []string
	// TraceID, when not "", restricts to records of this promoted trace id.
	TraceID string
}

// LogPosition is a place in the total order of events: (Timestamp, Ingested, Seq).
type LogPosition struct {
	Timestamp, Ingested, Seq int64
}

// LogScan asks for raw events in order.
type LogScan struct {
	LogSelection
	// Where is a further condition in the engine's [Dialect], over its columns; "" means none. Args are
	// its placeholders' values.
	Where string
	Args  []any
	// Descending returns newest first. The order is always total, by LogPosition.
	Descending bool
	// After, when not nil, starts behind this position in the direction of travel.
	After *LogPosition
	// Limit bounds the rows given to yield; 0 means no bound.
	Limit int
	// NoStats leaves out what only counts: of [ScanStats], RecordsMatched alone is set. Cheaper.
	NoStats bool
}

// LogAggregate asks for a statement over the selected rows: the engine runs
//
//	SELECT Select FROM <selected rows> WHERE Where Tail
//
// where <selected rows> has the columns that the [Dialect] names. Select, Where and Tail are in the dialect,
// Args are the placeholders' values in their order of appearance.
type LogAggregate struct {
	LogSelection
	Select string
	Where  string
	Tail   string // GROUP BY … ORDER BY … LIMIT …
	Args   []any
	// MaxRows bounds the answer; more rows are [ErrTooManyRows]. 0 means no bound.
	MaxRows int
	// NoStats leaves out what only counts, the [ScanStats]. Cheaper.
	NoStats bool
}

// ErrTooManyRows is returned when an answer would exceed its bound.
var ErrTooManyRows = errors.New("too many rows")

// ScanStats counts what a read looked at.
type ScanStats struct {
	RecordsScanned int64 // events in the selected groups and time, before conditions
	BytesScanned   int64 // their message bytes
	RecordsMatched int64 // events that met the conditions
	// RecordsSkipped counts events that pruning left unread; they are part of RecordsScanned.
	RecordsSkipped int64
}

// LogStream is one stream and what its events say of it.
type LogStream struct {
	Group, Stream  string
	FirstTimestamp int64 // Unix ms of the oldest event
	LastTimestamp  int64
	LastIngested   int64
	Events         int64
	Bytes          int64 // message bytes
}

// LogStore keeps log events.
type LogStore interface {
	WriteLogs(ctx context.Context, records []LogRecord) error

	// ScanLogs calls yield for each event in order until it returns false. The record's strings are valid
	// after yield returns. Scanning newest first with a small limit reads little.
	ScanLogs(ctx context.Context, scan LogScan, yield func(*LogRecord) bool) (ScanStats, error)

	// AggregateLogs runs one statement over the selected rows of all days. Values are nil, bool, int64,
	// float64, string or time.Time (UTC).
	AggregateLogs(ctx context.Context, agg LogAggregate) (rows [][]any, stats ScanStats, err error)

	// LogStreams lists the streams that have events in the group, unordered. A "" group lists all groups'.
	LogStreams(ctx context.Context, tenant Tenant, group LogGroupRange) ([]LogStream, error)

	// Dialect is the SQL that Where and Select are to be written in.
	Dialect() Dialect
}

// Dialect writes the SQL of one engine. Column names and expressions are what a statement over selected
// log rows may use. Every method returns an SQL expression; argument expressions are SQL themselves.
// NULL stands for a missing field throughout.
type Dialect interface {
	Name() string
	// Column is the column of a promoted or system field: @timestamp (a timestamp), @ingestionTime,
	// @message, @logStream, @log's group, seq, level, service, trace_id, span_id, duration_ms, status.
	Column(field LogColumn) string
	// String is a string literal.
	String(s string) string
	// Number is a float64 literal.
	Number(f float64) string
	// Placeholder is the marker of a bound argument.
	Placeholder() string
	// JSONField is the text of the leaf at path in the JSON text doc, or NULL when doc is not JSON or has no
	// such leaf. Numbers keep their literal, booleans are 1 and 0, objects and arrays are NULL.
	JSONField(doc string, path []string) string
	// ToNumber is the number that the text expr spells (as Logs Insights reads numbers), or NULL.
	ToNumber(expr string) string
	// Contains is whether text contains the literal needle; NULL text is NULL.
	Contains(text, needle string) string
	// RegexMatch is whether the RE2 pattern matches anywhere in text.
	RegexMatch(text, pattern string) string
	// RegexExtract is the text of the numbered group of the first match, NULL when there is no match.
	RegexExtract(text, pattern string, group int) string
	// TimeFloor floors a timestamp to a multiple of periodMs since the Unix epoch.
	TimeFloor(ts string, periodMs int64) string
	// EpochMs is a timestamp as Unix milliseconds.
	EpochMs(ts string) string
	// Quantile is the q-quantile (0..1) of the numbers in expr, interpolated linearly between the closest ranks.
	Quantile(expr string, q float64) string
}

// LogColumn names a column of the log rows.
type LogColumn int

// The columns of log rows.
const (
	ColumnTimestamp LogColumn = iota
	ColumnIngested
	ColumnSeq
	ColumnGroup
	ColumnStream
	ColumnMessage
	ColumnLevel
	ColumnService
	ColumnTraceID
	ColumnSpanID
	ColumnDurationMs
	ColumnStatus
)

// What is asked and answered of metrics is CloudWatch's.
type (
	MetricQuery  = cloudwatch.MetricQuery
	Bucket       = cloudwatch.Bucket
	MetricFilter = cloudwatch.MetricFilter
)

// MetricStore keeps metric data, rolled up by series and period as it arrives.
type MetricStore interface {
	WriteMetrics(ctx context.Context, tenant Tenant, data []cloudwatch.Datum) error

	cloudwatch.MetricReader
}

// Segment is one X-Ray document, a segment or an independent subsegment, and what is promoted from it.
type Segment struct {
	Tenant
	TraceID  [16]byte
	ID       [8]byte
	ParentID [8]byte // zero: none
	Start    int64   // Unix ns
	End      int64   // Unix ns; 0 while in progress
	Name     string  // service name of a segment, name of a subsegment
	Origin   string
	// Flags of the document.
	Subsegment, InProgress, Fault, Error, Throttle bool
	HTTPStatus                                     int32  // 0: none
	Annotations                                    string // JSON object text, "" when none
	Document                                       string // the whole document, JSON
	Ingested                                       int64  // Unix ms
}

// MaxTraceBytes bounds what is read of one trace: a client that uses one id for everything must not be able to fill the
// memory of those who read. AWS's own limit is 500 KB.
const MaxTraceBytes = 4 << 20

// Trace is the documents of one trace, in order of Start.
type Trace struct {
	Segments []Segment
	// LimitExceeded says that the trace has more documents than MaxTraceBytes of them; Segments are some.
	LimitExceeded bool
}

// TraceScan asks for the documents of traces in a time range.
type TraceScan struct {
	Tenant Tenant
	// Start and End are Unix ns, half-open, compared with the document's interval [Start, End]. Of a document in
	// progress that is its Start alone, for its end is not known.
	Start, End int64
}

// TraceStore keeps X-Ray documents. Of documents with the same trace and id the last one written counts, but a
// document in progress never replaces a complete one.
type TraceStore interface {
	WriteSegments(ctx context.Context, segments []Segment) error

	// Traces returns the documents of each trace. Unknown traces have no entry.
	Traces(ctx context.Context, tenant Tenant, ids [][16]byte) (map[[16]byte]Trace, error)

	// ScanTraceIDs lists distinct ids of traces with a document overlapping the range, newest start first, and of equal
	// starts the greatest id first.
	ScanTraceIDs(ctx context.Context, scan TraceScan, yield func(id [16]byte, start int64) bool) error
}
