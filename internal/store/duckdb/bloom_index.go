// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"os"
	"sync"

	"go.uber.org/zap"
)

// The sidecar of a log file: a header, then one record for each chunk of rows.
//
//	header  magic 8, id of the database file 32 (padded with NUL), 24 reserved
//	record  magic 4, crc 4 (of all that follows), first row 8, rows 4, words 4, oldest ts 8, newest ts 8, reserved 8, words × 8
//
// All numbers are little-endian. Chunk i covers the rows with id i*8192 and up. A record of fewer rows stands for the end
// of a day that is over; a record with the same first row behind it replaces it. Nothing is synced: a record that is
// torn, and what follows it, is cut off and made again.
const (
	bloomMagic       = "NEPHBLM1"
	bloomHeaderSize  = 64
	bloomRecordMagic = 0x4b4e4843
	bloomRecordSize  = 48
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// bloomChunk is where the filter of a chunk is.
type bloomChunk struct {
	rows   uint32
	words  uint32
	offset int64 // of the words in the file
	oldest int64 // Unix ms
	newest int64
}

// bloomIndex is the sidecar of one log file.
type bloomIndex struct {
	path   string
	logger *zap.Logger

	// building is held by whoever appends to it.
	building sync.Mutex

	mu      sync.Mutex
	loaded  bool
	id      string
	chunks  []bloomChunk
	size    int64
	mapping *bloomMapping
}

// bloomMapping is a part of the file in memory, unmapped when the last user is done.
type bloomMapping struct {
	data []byte
	refs int // including one of the index, guarded by bloomIndex.mu
}

func newBloomIndex(path string, logger *zap.Logger) *bloomIndex {
	return &bloomIndex{path: path, logger: logger}
}

// bloomView is the state of an index at one moment.
type bloomView struct {
	chunks  []bloomChunk
	data    []byte
	release func()
}

// covered is how many rows the chunks cover.
func covered(chunks []bloomChunk) int64 {
	if len(chunks) == 0 {
		return 0
	}
	return int64(len(chunks)-1)*bloomChunkRows + int64(chunks[len(chunks)-1].rows)
}

// view returns what is there for the database file with this id.
func (x *bloomIndex) view(id string) (bloomView, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.load(id); err != nil {
		return bloomView{}, err
	}
	if len(x.chunks) == 0 {
		return bloomView{release: func() {}}, nil
	}
	if x.mapping == nil || int64(len(x.mapping.data)) < x.size {
		f, err := os.Open(x.path)
		if err != nil {
			return bloomView{}, err
		}
		data, err := mapFile(f, int(x.size))
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return bloomView{}, err
		}
		x.drop(x.mapping)
		x.mapping = &bloomMapping{data: data, refs: 1}
	}
	m := x.mapping
	m.refs++
	return bloomView{chunks: x.chunks, data: m.data, release: func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.drop(m)
	}}, nil
}

func (x *bloomIndex) drop(m *bloomMapping) {
	if m == nil {
		return
	}
	if m.refs--; m.refs == 0 {
		if err := unmapFile(m.data); err != nil {
			x.logger.Warn("unmap", zap.String("file", x.path), zap.Error(err))
		}
		m.data = nil
	}
}

// unmap gives the memory free.
func (x *bloomIndex) unmap() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.drop(x.mapping)
	x.mapping = nil
}

func (x *bloomIndex) remove() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.drop(x.mapping)
	x.mapping, x.chunks, x.size, x.loaded = nil, nil, 0, false
	if err := os.Remove(x.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// load reads and checks the file once. What does not belong to the database file is started anew. mu is held.
func (x *bloomIndex) load(id string) error {
	if x.loaded && x.id == id {
		return nil
	}
	f, err := os.Open(x.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var chunks []bloomChunk
	var size int64
	if err == nil {
		chunks, size, err = readBloomFile(f, id)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
	}
	x.id, x.chunks, x.size, x.loaded = id, chunks, size, true
	return nil
}

// readBloomFile returns the sound chunks of a file and the size of the part that holds them; 0 if it belongs to another
// database file.
func readBloomFile(f io.ReaderAt, id string) (chunks []bloomChunk, size int64, err error) {
	r := io.NewSectionReader(f, 0, 1<<62)
	head := make([]byte, bloomHeaderSize)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, 0, ignoreEOF(err)
	}
	if string(head) != string(bloomHeader(id)) {
		return nil, 0, nil
	}
	size = bloomHeaderSize
	var body []byte
	rec := make([]byte, bloomRecordSize)
	for {
		if _, err := io.ReadFull(r, rec); err != nil {
			return chunks, size, ignoreEOF(err)
		}
		c, firstRow, ok := parseBloomRecord(rec)
		if !ok {
			return chunks, size, nil
		}
		n := int(c.words) * 8
		if cap(body) < n {
			body = make([]byte, n)
		}
		if _, err := io.ReadFull(r, body[:n]); err != nil {
			return chunks, size, ignoreEOF(err)
		}
		crc := crc32.Update(crc32.Checksum(rec[8:], crcTable), crcTable, body[:n])
		if crc != binary.LittleEndian.Uint32(rec[4:]) {
			return chunks, size, nil
		}
		c.offset = size + bloomRecordSize
		if chunks, ok = addChunk(chunks, firstRow, c); !ok {
			return chunks, size, nil
		}
		size += bloomRecordSize + int64(n)
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// addChunk puts a chunk where its first row says: behind the others, or in place of an incomplete last one.
func addChunk(chunks []bloomChunk, firstRow int64, c bloomChunk) ([]bloomChunk, bool) {
	n := int64(len(chunks))
	last := n - 1
	switch {
	case firstRow == n*bloomChunkRows && (n == 0 || chunks[last].rows == bloomChunkRows):
		return append(chunks, c), true
	case n > 0 && firstRow == last*bloomChunkRows && chunks[last].rows < c.rows:
		// A copy, because views share the slice.
		chunks = append(make([]bloomChunk, 0, n+8), chunks...)
		chunks[last] = c
		return chunks, true
	}
	return chunks, false
}

func bloomHeader(id string) []byte {
	head := make([]byte, bloomHeaderSize)
	copy(head, bloomMagic)
	copy(head[8:40], id)
	return head
}

// maxBloomWords bounds what a damaged record can make us read: 8,192 messages of a megabyte of short tokens.
const maxBloomWords = 1 << 28

func parseBloomRecord(rec []byte) (c bloomChunk, firstRow int64, ok bool) {
	le := binary.LittleEndian
	if le.Uint32(rec) != bloomRecordMagic {
		return c, 0, false
	}
	firstRow = int64(le.Uint64(rec[8:]))
	c.rows, c.words = le.Uint32(rec[16:]), le.Uint32(rec[20:])
	c.oldest, c.newest = int64(le.Uint64(rec[24:])), int64(le.Uint64(rec[32:]))
	return c, firstRow, c.rows > 0 && c.rows <= bloomChunkRows && c.words > 0 && c.words <= maxBloomWords
}

// append adds the filter of a chunk. building is held.
func (x *bloomIndex) append(id string, firstRow int64, c bloomChunk, words []uint64) (err error) {
	le := binary.LittleEndian
	rec := make([]byte, bloomRecordSize, bloomRecordSize+8*len(words))
	le.PutUint32(rec, bloomRecordMagic)
	le.PutUint64(rec[8:], uint64(firstRow))
	le.PutUint32(rec[16:], c.rows)
	le.PutUint32(rec[20:], uint32(len(words)))
	le.PutUint64(rec[24:], uint64(c.oldest))
	le.PutUint64(rec[32:], uint64(c.newest))
	for _, w := range words {
		rec = le.AppendUint64(rec, w)
	}
	le.PutUint32(rec[4:], crc32.Checksum(rec[8:], crcTable))

	x.mu.Lock()
	err = x.load(id)
	size := x.size
	x.mu.Unlock()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(x.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	if size == 0 {
		// Replaced, not cut off: an old file may still be mapped.
		if err := os.Remove(x.path); err != nil {
			return err
		}
		if cerr := f.Close(); cerr != nil {
			return cerr
		}
		if f, err = os.OpenFile(x.path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
			return err
		}
		if _, err := f.WriteAt(bloomHeader(id), 0); err != nil {
			return err
		}
		size = bloomHeaderSize
	}
	if _, err := f.WriteAt(rec, size); err != nil {
		return err
	}
	c.words, c.offset = uint32(len(words)), size+bloomRecordSize

	x.mu.Lock()
	defer x.mu.Unlock()
	chunks, ok := addChunk(x.chunks, firstRow, c)
	if !ok {
		return fmt.Errorf("%s: row %d does not follow the %d rows covered", x.path, firstRow, covered(x.chunks))
	}
	x.chunks, x.size = chunks, size+int64(len(rec))
	return nil
}

// mayHold reports whether all tokens may occur in the chunk.
func (v *bloomView) mayHold(c *bloomChunk, hashes []uint64) bool {
	words := v.data[c.offset : c.offset+int64(c.words)*8]
	m := uint64(c.words) * 64
	for _, hash := range hashes {
		step := bits.RotateLeft64(hash, 23) | 1
		for range bloomProbes {
			bit, _ := bits.Mul64(hash, m)
			if words[bit>>3]&(1<<(bit&7)) == 0 {
				return false
			}
			hash += step
		}
	}
	return true
}
