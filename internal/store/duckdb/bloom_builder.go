// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"unsafe"

	"go.uber.org/zap"
)

// bloomBuilder makes the filters of a log file while it is written, in a goroutine of its own. What it cannot keep up
// with it reads back from the file later.
type bloomBuilder struct {
	e      *Engine
	file   *dayFile
	feed   chan *bloomFeed
	queued atomic.Int64 // bytes in feed
	acc    chunkBuilder
	spare  chan *bloomFeed // to be used again
}

// bloomFeed is what the builder needs of the rows of one commit.
type bloomFeed struct {
	firstRow int64
	text     []byte // messages, one behind the other
	rows     []bloomFeedRow
}

type bloomFeedRow struct {
	end      int // of the message in text
	ts       int64
	trace    uint64 // hash of the promoted trace id
	hasTrace bool
	pad      bool // an empty row, see padding
}

// maxBloomFeed bounds the bytes that wait for the builder.
const maxBloomFeed = 32 << 20

const maxSpareFeed = 8 << 20

func newBloomBuilder(e *Engine, f *dayFile) *bloomBuilder {
	b := &bloomBuilder{e: e, file: f, feed: make(chan *bloomFeed, 256), spare: make(chan *bloomFeed, 2)}
	e.background.Go(b.run)
	return b
}

// offer hands the rows of a commit over, or not when too much waits already.
func (b *bloomBuilder) offer(f *bloomFeed) {
	n := int64(len(f.text))
	if b.queued.Add(n) <= maxBloomFeed {
		select {
		case b.feed <- f:
			return
		default:
		}
	}
	b.queued.Add(-n)
	b.recycle(f)
}

// newFeed returns an empty feed with room for the rows.
func (b *bloomBuilder) newFeed(rows int, batch []*writeRequest) *bloomFeed {
	var f *bloomFeed
	select {
	case f = <-b.spare:
		f.text, f.rows = f.text[:0], f.rows[:0]
	default:
		f = new(bloomFeed)
	}
	n := 0
	for _, r := range batch {
		n += int(r.bytes) - r.rows*logRowBytes
	}
	f.text, f.rows = slices.Grow(f.text, n), slices.Grow(f.rows, rows)
	return f
}

// recycle keeps a feed for the next commit, unless it is large.
func (b *bloomBuilder) recycle(f *bloomFeed) {
	if cap(f.text) > maxSpareFeed {
		return
	}
	select {
	case b.spare <- f:
	default:
	}
}

// close lets the builder end when it has worked through its feed.
func (b *bloomBuilder) close() { close(b.feed) }

func (b *bloomBuilder) run() {
	x := b.file.bloom
	x.building.Lock()
	defer x.building.Unlock()
	failed := false
	for f := range b.feed {
		b.queued.Add(-int64(len(f.text)))
		if failed || b.e.stopCtx.Err() != nil {
			continue
		}
		err := b.take(f)
		b.recycle(f)
		if err != nil {
			failed = true
			if b.e.stopCtx.Err() == nil && !errors.Is(err, errFileGone) {
				b.e.cfg.Logger.Warn("token index falls behind, searches read more", zap.String("file", x.path), zap.Error(err))
			}
		}
	}
}

func (b *bloomBuilder) take(f *bloomFeed) error {
	end := f.firstRow + int64(len(f.rows))
	if b.acc.id == "" {
		// The first of this session: find out where the index stands.
		if err := b.e.startChunks(b.e.stopCtx, b.file, &b.acc); err != nil {
			return err
		}
	}
	if b.acc.next < f.firstRow {
		if err := b.e.readChunks(b.e.stopCtx, b.file, &b.acc, f.firstRow); err != nil {
			return err
		}
	}
	begin := 0
	for i, r := range f.rows {
		row := f.firstRow + int64(i)
		if row == b.acc.next && row < end {
			text := f.text[begin:r.end]
			if r.hasTrace {
				b.acc.addHash(r.trace, r.ts)
			}
			message := unsafe.String(unsafe.SliceData(text), len(text)) //nolint:gosec // add does not keep it
			if err := b.acc.add(b.file.bloom, message, r.ts); err != nil {
				return err
			}
		}
		begin = r.end
	}
	return nil
}

// chunkBuilder gathers the tokens of a chunk, row by row.
type chunkBuilder struct {
	id     string
	next   int64 // row
	tokens tokenSet
	chunk  bloomChunk
	begun  bool
}

// begin prepares for the first row of a chunk.
func (c *chunkBuilder) begin(ts int64) {
	if c.chunk.rows == 0 && !c.begun {
		c.tokens.reset()
		c.chunk.oldest, c.chunk.newest = ts, ts
		c.begun = true
	}
}

// addHash takes a hash of the row that the next call of add is for.
func (c *chunkBuilder) addHash(hash uint64, ts int64) {
	c.begin(ts)
	c.tokens.add(hash)
}

// add takes the next row and writes the chunk when it is full.
func (c *chunkBuilder) add(x *bloomIndex, message string, ts int64) error {
	c.begin(ts)
	c.chunk.oldest, c.chunk.newest = min(c.chunk.oldest, ts), max(c.chunk.newest, ts)
	eachToken(message, func(token string) { c.tokens.add(hashToken(token)) })
	c.chunk.rows++
	c.next++
	if c.chunk.rows < bloomChunkRows {
		return nil
	}
	return c.flush(x)
}

// flush writes the chunk as it is.
func (c *chunkBuilder) flush(x *bloomIndex) error {
	if c.chunk.rows == 0 {
		return nil
	}
	first := c.next - int64(c.chunk.rows)
	chunk := c.chunk
	c.chunk.rows, c.begun = 0, false
	return x.append(c.id, first, chunk, c.tokens.filter())
}

// startChunks finds where the index of the file ends. building is held.
func (e *Engine) startChunks(ctx context.Context, f *dayFile, acc *chunkBuilder) error {
	var rows int64
	var id string
	err := e.read(ctx, []*dayFile{f}, func(ctx context.Context, s *snapshot) error {
		if len(s.files) == 0 {
			return errFileGone
		}
		var err error
		if id, err = s.fileID(ctx, f); err != nil {
			return err
		}
		return s.queryRow(ctx, "SELECT count(*) FROM "+f.alias+".logs", nil, &rows)
	})
	if err != nil {
		return err
	}
	x := f.bloom
	x.mu.Lock()
	err = x.load(id)
	chunks := x.chunks
	x.mu.Unlock()
	if err != nil {
		return err
	}
	if n := covered(chunks); n > rows {
		return fmt.Errorf("token index covers %d rows of %d: %w", n, rows, x.remove())
	}
	if n := len(chunks); n > 0 && chunks[n-1].rows < bloomChunkRows {
		chunks = chunks[:n-1] // incomplete: made anew from its first row
	}
	*acc = chunkBuilder{id: id, next: covered(chunks), tokens: acc.tokens}
	return nil
}

// readChunks takes the rows up to end from the file.
func (e *Engine) readChunks(ctx context.Context, f *dayFile, acc *chunkBuilder, end int64) error {
	for acc.next < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		begin := *acc // a read that is repeated starts from here
		begin.tokens = tokenSet{}
		if acc.chunk.rows > 0 {
			begin.next -= int64(acc.chunk.rows)
		}
		begin.chunk.rows, begin.begun = 0, false
		next := begin.next
		last := min(begin.next+bloomChunkRows, max(end, begin.next+1))
		err := e.read(ctx, []*dayFile{f}, func(ctx context.Context, s *snapshot) error {
			if len(s.files) == 0 {
				return errFileGone
			}
			tokens := acc.tokens
			*acc = begin
			acc.tokens = tokens
			return s.queryValues(ctx, "SELECT message, trace_id, epoch_ms(ts) FROM "+f.alias+
				".logs WHERE rowid >= ? AND rowid < ? ORDER BY rowid", []any{next, last}, func(row []driver.Value) (bool, error) {
				ts := row[2].(int64)
				if trace, ok := row[1].(string); ok {
					acc.addHash(hashTraceID(trace), ts)
				}
				return true, acc.add(f.bloom, text(row[0]), ts)
			})
		})
		if err != nil {
			return err
		}
		if acc.next < last {
			return fmt.Errorf("rows %d to %d are missing", acc.next, last)
		}
	}
	return nil
}

// completeBloom makes what is missing of the token index of a file that nobody writes.
func (e *Engine) completeBloom(ctx context.Context, f *dayFile) error {
	x := f.bloom
	if !x.building.TryLock() {
		return nil // it is being written
	}
	defer x.building.Unlock()
	var acc chunkBuilder
	if err := e.startChunks(ctx, f, &acc); err != nil {
		return err
	}
	var rows int64
	err := e.read(ctx, []*dayFile{f}, func(ctx context.Context, s *snapshot) error {
		if len(s.files) == 0 {
			return errFileGone
		}
		return s.queryRow(ctx, "SELECT count(*) FROM "+f.alias+".logs", nil, &rows)
	})
	if err != nil {
		return err
	}
	x.mu.Lock()
	done := covered(x.chunks) == rows
	x.mu.Unlock()
	if done {
		return nil
	}
	if err := e.readChunks(ctx, f, &acc, rows); err != nil {
		return err
	}
	return acc.flush(x)
}
