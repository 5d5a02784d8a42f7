// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsxrayreceiver

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"go.uber.org/zap"
)

const (
	// maxDatagram is more than UDP can carry, so that nothing is ever cut.
	maxDatagram = 64 << 10
	// readPause is how long a reader rests after an error, which may last.
	readPause = 10 * time.Millisecond
)

// read takes datagrams from the socket until its deadline has passed. What goes into the queue is copied.
func (r *xrayReceiver) read() {
	ctx := context.Background()
	in := newDatagrams(r.conn)
	for {
		n, err := in.read()
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
				return
			}
			r.logger.Debug("read from the UDP socket", zap.Error(err))
			if !r.wait(ctx, readPause) {
				return
			}
			continue
		}
		spilled := int64(0)
		for i := range n {
			doc, reason := document(in.datagram(i))
			switch {
			case reason != "":
				r.reject(ctx, reason, 1)
			case !r.queue.put(doc):
				spilled++
			}
		}
		r.metrics.ReceiverAwsxrayDatagrams.Add(ctx, int64(n))
		if spilled > 0 {
			r.counts.spilled.Add(spilled)
			r.metrics.ReceiverAwsxraySpillover.Add(ctx, spilled)
		}
	}
}
