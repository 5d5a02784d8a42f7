// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

// maxPending bounds the documents of increases that wait.
const maxPending = 10_000

// attributeIncrease marks records whose points cannot be converted once more.
const attributeIncrease = "nephoscope.increase"

// pendingDocuments are documents of cumulative series that were not taken.
type pendingDocuments struct {
	limit int

	mu   sync.Mutex
	docs []document
}

func (p *pendingDocuments) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.docs)
}

func (p *pendingDocuments) take() []document {
	p.mu.Lock()
	defer p.mu.Unlock()
	docs := p.docs
	p.docs = nil
	return docs
}

// keep makes documents wait, and returns how many there is no room for.
func (p *pendingDocuments) keep(docs []document) (lost int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := min(max(p.limit-len(p.docs), 0), len(docs))
	p.docs = append(p.docs, docs[:room]...)
	return len(docs) - room
}

// toLogs makes log records of documents, the first increases of which are marked.
func toLogs(docs []document, increases int, now time.Time) plog.Logs {
	ld := plog.NewLogs()
	observed := pcommon.NewTimestampFromTime(now)
	index := make(map[[2]string]plog.LogRecordSlice)
	for i := range docs {
		d := &docs[i]
		key := [2]string{d.group, d.stream}
		records, ok := index[key]
		if !ok {
			rl := ld.ResourceLogs().AppendEmpty()
			attrs := rl.Resource().Attributes()
			attrs.PutStr(cloudwatchlogs.AttributeProvider, cloudwatchlogs.ProviderAWS)
			attrs.PutEmptySlice(cloudwatchlogs.AttributeGroupNames).AppendEmpty().SetStr(d.group)
			attrs.PutEmptySlice(cloudwatchlogs.AttributeStreamNames).AppendEmpty().SetStr(d.stream)
			records = rl.ScopeLogs().AppendEmpty().LogRecords()
			index[key] = records
		}
		r := records.AppendEmpty()
		r.SetTimestamp(pcommon.Timestamp(d.timestampMs * int64(time.Millisecond)))
		r.SetObservedTimestamp(observed)
		r.Body().SetStr(d.text)
		if i < increases {
			r.Attributes().PutBool(attributeIncrease, true)
		}
	}
	return ld
}

// unwritten are those of the increases that were not written: all, unless the error says which.
func unwritten(err error, increases []document) []document {
	var partial consumererror.Logs
	if !errors.As(err, &partial) {
		return increases
	}
	var docs []document
	for _, rl := range partial.Data().ResourceLogs().All() {
		group, stream := firstOf(rl, cloudwatchlogs.AttributeGroupNames), firstOf(rl, cloudwatchlogs.AttributeStreamNames)
		for _, sl := range rl.ScopeLogs().All() {
			for _, r := range sl.LogRecords().All() {
				if _, ok := r.Attributes().Get(attributeIncrease); ok {
					docs = append(docs, document{group, stream, r.Timestamp().AsTime().UnixMilli(), r.Body().Str()})
				}
			}
		}
	}
	return docs
}

// expected is whether a reason is no fault: such points have nothing that could be written.
func expected(reason string) bool {
	switch cloudwatch.Reason(reason) {
	case cloudwatch.ReasonFirstPoint, cloudwatch.ReasonOutOfOrder, cloudwatch.ReasonNoRecordedValue:
		return true
	}
	return false
}
