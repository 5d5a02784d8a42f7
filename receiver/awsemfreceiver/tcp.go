// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfreceiver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
)

// readBufferBytes is what a connection reads at once; longer lines make it grow.
const readBufferBytes = 64 << 10

// accept serves connections until Shutdown.
func (r *emfReceiver) accept(ctx context.Context, host component.Host) {
	var delay time.Duration
	for next := 0; ; next++ {
		conn, err := r.listener.Accept()
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
				return // Shutdown
			}
			var ne net.Error
			if !errors.As(err, &ne) || !ne.Temporary() { //nolint:staticcheck // there is no other way to tell that files ran out
				r.fail(host, err)
				return
			}
			if delay = min(max(2*delay, 5*time.Millisecond), time.Second); !wait(ctx, delay) {
				return
			}
			continue
		}
		delay = 0
		if !r.addConn(conn) {
			r.telemetry.ReceiverAwsemfRefusedConnections.Add(ctx, 1)
			_ = conn.Close()
			continue
		}
		w := r.workers[next%len(r.workers)]
		r.readers.Go(func() { r.serve(ctx, conn, w) })
	}
}

// wait reports false when ctx ended before the time was over.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *emfReceiver) addConn(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.conns) >= r.cfg.MaxConnections {
		return false
	}
	r.conns[c] = struct{}{}
	return true
}

func (r *emfReceiver) removeConn(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

// setDeadline bounds the next read: how long a line may take when one has begun, else how long a connection may idle.
func (r *emfReceiver) setDeadline(c net.Conn, begun bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	timeout := r.cfg.IdleTimeout
	if begun {
		timeout = r.cfg.LineTimeout
	}
	deadline := r.deadline
	if !r.draining {
		if timeout == 0 {
			return c.SetReadDeadline(time.Time{})
		}
		deadline = time.Now().Add(timeout)
	}
	return c.SetReadDeadline(deadline)
}

// serve reads one connection. Only whole lines leave it.
func (r *emfReceiver) serve(ctx context.Context, conn net.Conn, w *worker) {
	r.telemetry.ReceiverAwsemfConnections.Add(ctx, 1)
	defer func() {
		r.removeConn(conn)
		_ = conn.Close()
		r.telemetry.ReceiverAwsemfConnections.Add(context.WithoutCancel(ctx), -1)
	}()
	peer := hostOf(conn.RemoteAddr())
	lines := lineBuffer{limit: r.cfg.MaxLineBytes}
	for {
		err := r.setDeadline(conn, lines.begun())
		if err == nil {
			err = lines.read(conn)
		}
		text, tooLong := lines.take()
		r.reject(ctx, reasonTooLong, tooLong)
		if text != "" {
			r.enqueue(ctx, w, text, peer)
		}
		if err == nil {
			continue
		}
		rest := lines.rest()
		switch {
		case rest == "":
		case errors.Is(err, io.EOF): // the last line may lack its end
			r.enqueue(ctx, w, rest, peer)
		default:
			r.reject(ctx, reasonIncomplete, 1)
		}
		if !errors.Is(err, io.EOF) {
			r.logger.Debug("connection ended", zap.String("peer", peer), zap.Error(err))
		}
		return
	}
}

func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}

// lineBuffer collects what is read until a line ends.
type lineBuffer struct {
	limit   int // of one line
	buf     []byte
	n       int  // read, in buf
	scanned int  // of n, known to be without a line's end
	skip    bool // the rest of a line that was too long
}

func (b *lineBuffer) begun() bool { return b.n > 0 || b.skip }

// read reads once.
func (b *lineBuffer) read(from io.Reader) error {
	if b.n == len(b.buf) {
		size := max(min(2*len(b.buf), b.limit+1), readBufferBytes)
		buf := make([]byte, size)
		copy(buf, b.buf[:b.n])
		b.buf = buf
	}
	m, err := from.Read(b.buf[b.n:])
	b.n += m
	return err
}

// take returns the whole lines, and how many lines were found to be too long.
func (b *lineBuffer) take() (text string, tooLong int) {
	end := b.scanned + bytes.LastIndexByte(b.buf[b.scanned:b.n], '\n') + 1
	if end > b.scanned {
		lines := b.buf[:end]
		if b.skip {
			b.skip = false
			lines = lines[bytes.IndexByte(lines, '\n')+1:]
		}
		text = string(lines)
		b.n = copy(b.buf, b.buf[end:b.n])
		if len(b.buf) > readBufferBytes && b.n <= readBufferBytes/2 {
			b.buf = append(make([]byte, 0, readBufferBytes), b.buf[:b.n]...)[:readBufferBytes]
		}
	}
	b.scanned = b.n
	switch {
	case b.skip:
		b.n, b.scanned = 0, 0
	case b.n > b.limit:
		b.skip = true
		b.n, b.scanned = 0, 0
		tooLong = 1
	}
	return text, tooLong
}

// rest returns what was read of a line that did not end.
func (b *lineBuffer) rest() string {
	if b.skip {
		return ""
	}
	return string(b.buf[:b.n])
}
