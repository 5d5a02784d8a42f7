// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsxrayreceiver

import "sync/atomic"

// queue holds documents between the socket and the pipeline. It is bounded by number and by bytes; documents
// that are in the pipeline count until they are released.
type queue struct {
	docs     chan string
	bytes    atomic.Int64
	maxBytes int64
}

func newQueue(size int, maxBytes int64) *queue {
	return &queue{docs: make(chan string, size), maxBytes: maxBytes}
}

// put copies a document into the queue. It is false, and nothing is copied, when there is no room.
func (q *queue) put(doc []byte) bool {
	n := int64(len(doc))
	if q.bytes.Add(n) > q.maxBytes || len(q.docs) == cap(q.docs) {
		q.bytes.Add(-n)
		return false
	}
	select {
	case q.docs <- string(doc):
		return true
	default: // another reader took the last place
		q.bytes.Add(-n)
		return false
	}
}

func (q *queue) release(docs []string) {
	n := 0
	for _, d := range docs {
		n += len(d)
	}
	q.bytes.Add(-int64(n))
}
