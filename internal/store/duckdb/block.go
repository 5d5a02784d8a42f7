// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"slices"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// A block is a file beside the day file of metrics that has a range of its points again, but by series, so that the points of a
// series are read without its neighbours'. Like a token index it is derived: it can be deleted and is made again.
//
//	header     magic 8, id of the database file 32, first row 8, rows 8, series 4, crc of the directory 4, its offset 8, crc of the
//	           header's first 72 bytes 4, crc of the columns 4, reserved
//	columns    of one series after the other
//	directory  ids 4 × series, rising; ends of the columns (in the file) 8 × series
//
// All numbers are little-endian. A file gets its name when all of it is on the disk.
const (
	blockMagic      = "NEPHBLK1"
	blockHeaderSize = 96
	// blockRows is how many rows the smallest blocks have, but the last of a day.
	blockRows = 1 << 17
	// blockFan is how many blocks of about the same size are made one.
	blockFan = 8
)

var errBlock = errors.New("block is damaged")

// How the columns of one series are encoded.
const (
	columnStep     = 1 << iota // times are at the same distance
	columnSingle               // every point has one sample: its value is the only column
	columnCount                // the counts are all the same
	columnHasDists             // there are distributions
)

// points are rows of one series in order of time.
type points struct {
	ts                   []int64 // Unix seconds
	count, sum, min, max []float64
	// dist are the encoded distributions, nil when a row has none.
	dist [][]byte
}

func (p *points) reset() {
	p.ts, p.count, p.sum, p.min, p.max, p.dist = p.ts[:0], p.count[:0], p.sum[:0], p.min[:0], p.max[:0], p.dist[:0]
}

func (p *points) grow(n int) {
	p.ts, p.count, p.sum, p.min, p.max, p.dist = slices.Grow(p.ts, n), slices.Grow(p.count, n), slices.Grow(p.sum, n),
		slices.Grow(p.min, n), slices.Grow(p.max, n), slices.Grow(p.dist, n)
}

func (p *points) add(ts int64, s cloudwatch.StatisticSet, dist []byte) {
	p.ts = append(p.ts, ts)
	p.count, p.sum = append(p.count, s.SampleCount), append(p.sum, s.Sum)
	p.min, p.max = append(p.min, s.Minimum), append(p.max, s.Maximum)
	p.dist = append(p.dist, dist)
}

// sort puts the points in order of time; those of one time keep theirs.
func (p *points) sort() {
	if slices.IsSorted(p.ts) {
		return
	}
	order := make([]int, len(p.ts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(p.ts[a] - p.ts[b]) })
	var q points
	q.grow(len(order))
	for _, i := range order {
		q.add(p.ts[i], cloudwatch.StatisticSet{SampleCount: p.count[i], Sum: p.sum[i], Minimum: p.min[i], Maximum: p.max[i]}, p.dist[i])
	}
	*p = q
}

// appendColumns encodes sorted points of the day that begins at midnight.
func appendColumns(dst []byte, p *points, midnight int64) []byte {
	n := len(p.ts)
	flags := byte(columnStep | columnSingle | columnCount)
	step := int64(0)
	if n > 1 {
		step = p.ts[1] - p.ts[0]
	}
	for i := range n {
		if i > 0 && p.ts[i]-p.ts[i-1] != step {
			flags &^= columnStep
		}
		if p.count[i] != 1 || p.sum[i] != p.min[i] || p.sum[i] != p.max[i] {
			flags &^= columnSingle
		}
		if p.count[i] != p.count[0] {
			flags &^= columnCount
		}
		if p.dist[i] != nil {
			flags |= columnHasDists
		}
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	dst = append(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(p.ts[0]-midnight))
	if flags&columnStep != 0 {
		dst = binary.AppendUvarint(dst, uint64(step))
	} else {
		for i := 1; i < n; i++ {
			dst = binary.AppendUvarint(dst, uint64(p.ts[i]-p.ts[i-1]))
		}
	}
	dst = appendFloats(dst, p.sum)
	if flags&columnSingle == 0 {
		if flags&columnCount != 0 {
			dst = appendFloats(dst, p.count[:1])
		} else {
			dst = appendFloats(dst, p.count)
		}
		dst = appendFloats(dst, p.min)
		dst = appendFloats(dst, p.max)
	}
	if flags&columnHasDists != 0 {
		for _, d := range p.dist {
			if d == nil {
				dst = append(dst, 0)
				continue
			}
			dst = binary.AppendUvarint(dst, uint64(len(d))+1)
			dst = append(dst, d...)
		}
	}
	return dst
}

func appendFloats(dst []byte, values []float64) []byte {
	for _, v := range values {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst
}

// columnReader takes parts off the front of encoded columns.
type columnReader struct {
	data []byte
	bad  bool
}

func (r *columnReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.bad, r.data = true, nil
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *columnReader) bytes(n uint64) []byte {
	if n > uint64(len(r.data)) {
		r.bad, r.data = true, nil
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

func (r *columnReader) floats(dst []float64, n int) []float64 {
	b := r.bytes(uint64(n) * 8)
	if b == nil {
		return dst
	}
	at := len(dst)
	dst = slices.Grow(dst, n)[:at+n]
	for i := range n {
		dst[at+i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return dst
}

// appendPoints decodes columns behind the points that are there. Distributions share data's memory, and are left nil
// without dists.
func (p *points) appendPoints(data []byte, midnight int64, dists bool) error {
	r := columnReader{data: data}
	count := r.uvarint()
	flags := r.bytes(1)
	// A point takes eight bytes at least, its value.
	if r.bad || count == 0 || count > uint64(len(data))/8+1 {
		return errBlock
	}
	n := int(count)
	at := len(p.ts)
	p.grow(n)
	ts := midnight + int64(r.uvarint())
	p.ts = append(p.ts, ts)
	if flags[0]&columnStep != 0 {
		step := int64(r.uvarint())
		for range n - 1 {
			ts += step
			p.ts = append(p.ts, ts)
		}
	} else {
		for range n - 1 {
			ts += int64(r.uvarint())
			p.ts = append(p.ts, ts)
		}
	}
	p.sum = r.floats(p.sum, n)
	switch {
	case r.bad:
		return errBlock
	case flags[0]&columnSingle != 0:
		for _, v := range p.sum[at:] {
			p.count, p.min, p.max = append(p.count, 1), append(p.min, v), append(p.max, v)
		}
	default:
		if flags[0]&columnCount != 0 {
			if p.count = r.floats(p.count, 1); r.bad {
				return errBlock
			}
			for range n - 1 {
				p.count = append(p.count, p.count[len(p.count)-1])
			}
		} else {
			p.count = r.floats(p.count, n)
		}
		p.min, p.max = r.floats(p.min, n), r.floats(p.max, n)
	}
	for range n {
		var d []byte
		if dists && flags[0]&columnHasDists != 0 {
			if size := r.uvarint(); size > 0 {
				d = r.bytes(size - 1)
			}
		}
		p.dist = append(p.dist, d)
	}
	if r.bad || len(p.max) != len(p.ts) || len(p.count) != len(p.ts) {
		return errBlock
	}
	return nil
}

// blockWriter writes the columns of one series after the other.
type blockWriter struct {
	f      *os.File
	w      *bufio.Writer
	offset uint64
	crc    uint32
	ids    []uint32
	ends   []uint64
	buf    []byte
}

func newBlockWriter(path string) (*blockWriter, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600) //nolint:gosec // beside the day file
	if err != nil {
		return nil, err
	}
	w := &blockWriter{f: f, w: bufio.NewWriterSize(f, 1<<18), offset: blockHeaderSize}
	_, err = w.w.Write(make([]byte, blockHeaderSize))
	return w, err
}

func (w *blockWriter) add(id int32, p *points, midnight int64) error {
	w.buf = appendColumns(w.buf[:0], p, midnight)
	w.crc = crc32.Update(w.crc, crcTable, w.buf)
	w.offset += uint64(len(w.buf))
	w.ids, w.ends = append(w.ids, uint32(id)), append(w.ends, w.offset)
	_, err := w.w.Write(w.buf)
	return err
}

// finish makes the block durable.
func (w *blockWriter) finish(id string, first, rows int64) error {
	le := binary.LittleEndian
	dir := make([]byte, 0, 12*len(w.ids))
	for _, id := range w.ids {
		dir = le.AppendUint32(dir, id)
	}
	for _, end := range w.ends {
		dir = le.AppendUint64(dir, end)
	}
	_, err := w.w.Write(dir)
	if err := errors.Join(err, w.w.Flush()); err != nil {
		return err
	}
	h := make([]byte, blockHeaderSize)
	copy(h, blockMagic)
	copy(h[8:40], id)
	le.PutUint64(h[40:], uint64(first))
	le.PutUint64(h[48:], uint64(rows))
	le.PutUint32(h[56:], uint32(len(w.ids)))
	le.PutUint32(h[60:], crc32.Checksum(dir, crcTable))
	le.PutUint64(h[64:], w.offset)
	le.PutUint32(h[72:], crc32.Checksum(h[:72], crcTable))
	le.PutUint32(h[76:], w.crc)
	if _, err := w.f.WriteAt(h, 0); err != nil {
		return err
	}
	return w.f.Sync()
}

func (w *blockWriter) close() error { return w.f.Close() }

// block is a block in memory.
type block struct {
	path        string
	first, rows int64
	data        []byte
	ids, ends   []byte // the directory
	refs        int    // including one of the index, guarded by blockIndex.mu
}

// openBlock maps a file and checks it, its columns only with whole; errBlock says that it is not one of the database
// file with this id.
func openBlock(path, id string, whole bool) (s *block, err error) {
	f, err := os.Open(path) //nolint:gosec // beside the day file
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < blockHeaderSize {
		return nil, errBlock
	}
	data, err := mapFile(f, int(info.Size()))
	if err != nil {
		return nil, err
	}
	s = &block{path: path, data: data, refs: 1}
	if !s.parse(id, whole) {
		return nil, errors.Join(errBlock, unmapFile(data))
	}
	return s, nil
}

func (s *block) parse(id string, whole bool) bool {
	le := binary.LittleEndian
	h := s.data[:blockHeaderSize]
	want := make([]byte, 40)
	copy(want, blockMagic)
	copy(want[8:], id)
	if string(h[:40]) != string(want) || crc32.Checksum(h[:72], crcTable) != le.Uint32(h[72:]) {
		return false
	}
	s.first, s.rows = int64(le.Uint64(h[40:])), int64(le.Uint64(h[48:]))
	n, at := uint64(le.Uint32(h[56:])), le.Uint64(h[64:])
	if at < blockHeaderSize || at+12*n != uint64(len(s.data)) || s.first < 0 || s.rows <= 0 {
		return false
	}
	dir := s.data[at:]
	s.ids, s.ends = dir[:4*n], dir[4*n:]
	return crc32.Checksum(dir, crcTable) == le.Uint32(h[60:]) && (!whole || s.intact())
}

func (s *block) series() int { return len(s.ids) / 4 }

func (s *block) id(i int) int32 { return int32(binary.LittleEndian.Uint32(s.ids[4*i:])) }

// intact is whether the columns are what was written. It reads all of them.
func (s *block) intact() bool {
	le := binary.LittleEndian
	columns := s.data[blockHeaderSize : len(s.data)-len(s.ids)-len(s.ends)]
	return crc32.Checksum(columns, crcTable) == le.Uint32(s.data[76:])
}

// columns are those of the series at place i.
func (s *block) columns(i int) []byte {
	begin := uint64(blockHeaderSize)
	if i > 0 {
		begin = binary.LittleEndian.Uint64(s.ends[8*(i-1):])
	}
	end := binary.LittleEndian.Uint64(s.ends[8*i:])
	if begin > end || end > uint64(len(s.data)) {
		return nil
	}
	return s.data[begin:end:end]
}

// find returns the columns of a series, nil when it has none here.
func (s *block) find(id int32) []byte {
	lo, hi := 0, s.series()
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if s.id(mid) < id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == s.series() || s.id(lo) != id {
		return nil
	}
	return s.columns(lo)
}

func (s *block) String() string {
	return fmt.Sprintf("%s (rows %d to %d)", s.path, s.first, s.first+s.rows)
}
