// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package duckdb

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// blockIndex is the blocks of one metrics file, in a directory beside it. They cover its first rows without a gap.
type blockIndex struct {
	dir    string
	logger *zap.Logger

	// rows is how many rows the file is known to have, -1 when nobody looked.
	rows atomic.Int64
	// building is held by whoever makes blocks.
	building sync.Mutex

	mu     sync.Mutex
	loaded bool
	id     string
	list   []blockFile
	merged time.Time // when all were made one
}

// mergeInterval is how often all blocks of a day that is over are made one again, should late data come in drop by drop.
const mergeInterval = time.Hour

// blockFile is a block on the disk, and in memory while it is used.
type blockFile struct {
	path        string
	first, rows int64
	size        int64
	verified    bool // its columns were checked
	mapped      *block
}

func newBlockIndex(dir string, logger *zap.Logger) *blockIndex {
	x := &blockIndex{dir: dir, logger: logger}
	x.rows.Store(-1)
	return x
}

// blockView is the state of an index at one moment.
type blockView struct {
	blocks  []*block
	covered int64 // rows, from the first on
	release func()
}

// view returns what is there for the database file with this id. A block that is damaged, and what follows it, is
// removed.
func (x *blockIndex) view(id string) (blockView, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.load(id); err != nil {
		return blockView{}, err
	}
	v := blockView{blocks: make([]*block, 0, len(x.list))}
	for i := range x.list {
		f := &x.list[i]
		if f.mapped == nil {
			s, err := openBlock(f.path, id, !f.verified)
			if errors.Is(err, errBlock) || errors.Is(err, os.ErrNotExist) || err == nil && (s.first != f.first || s.rows != f.rows) {
				x.logger.Warn("a file of metric points is damaged or missing and is made again", zap.String("file", f.path))
				x.drop(s)
				x.cut(i)
				break
			}
			if err != nil { // the database has its points, too
				x.logger.Warn("a file of metric points cannot be read", zap.String("file", f.path), zap.Error(err))
				break
			}
			f.mapped, f.verified = s, true
		}
		f.mapped.refs++
		v.blocks = append(v.blocks, f.mapped)
		v.covered = f.first + f.rows
	}
	v.release = func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.releaseAll(v.blocks)
	}
	return v, nil
}

// cut removes the blocks from i on. mu is held.
func (x *blockIndex) cut(i int) {
	for j := i; j < len(x.list); j++ {
		x.drop(x.list[j].mapped)
		if err := os.Remove(x.list[j].path); err != nil && !errors.Is(err, os.ErrNotExist) {
			x.logger.Warn("remove", zap.String("file", x.list[j].path), zap.Error(err))
		}
	}
	x.list = x.list[:i]
}

func (x *blockIndex) releaseAll(list []*block) {
	for _, s := range list {
		x.drop(s)
	}
}

func (x *blockIndex) drop(s *block) {
	if s == nil {
		return
	}
	if s.refs--; s.refs == 0 {
		if err := unmapFile(s.data); err != nil {
			x.logger.Warn("unmap", zap.String("file", s.path), zap.Error(err))
		}
		s.data, s.ids, s.ends = nil, nil, nil
	}
}

// unmap gives the memory free.
func (x *blockIndex) unmap() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.list {
		x.drop(x.list[i].mapped)
		x.list[i].mapped = nil
	}
}

func (x *blockIndex) remove() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.list {
		x.drop(x.list[i].mapped)
	}
	x.list, x.loaded, x.merged = nil, false, time.Time{}
	x.rows.Store(-1)
	return os.RemoveAll(x.dir)
}

// bytes is what the blocks take on the disk.
func (x *blockIndex) bytes() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := int64(0)
	for i := range x.list {
		n += x.list[i].size
	}
	return n
}

// covered is how many rows the blocks have.
func (x *blockIndex) covered(id string) (int64, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.load(id); err != nil {
		return 0, err
	}
	return x.end(), nil
}

// whole is whether nothing is to be done: the blocks have all rows that the file is known to have, in one block unless all
// were made one not long ago.
func (x *blockIndex) whole(now time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.rows.Load() == x.end() && (len(x.list) <= 1 || now.Sub(x.merged) < mergeInterval)
}

func (x *blockIndex) mergeDue(now time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return now.Sub(x.merged) >= mergeInterval
}

func (x *blockIndex) setMerged(now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.merged = now
}

// last is covered of what is loaded.
func (x *blockIndex) last() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.end()
}

func (x *blockIndex) end() int64 {
	if n := len(x.list); n > 0 {
		return x.list[n-1].first + x.list[n-1].rows
	}
	return 0
}

// load lists the directory once. What another block covers, what leaves a gap and what a crash left half-made is removed. mu is
// held.
func (x *blockIndex) load(id string) error {
	if x.loaded && x.id == id {
		return nil
	}
	entries, err := os.ReadDir(x.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var found []blockFile
	var surplus []string
	for _, entry := range entries {
		f := blockFile{path: filepath.Join(x.dir, entry.Name())}
		info, err := entry.Info()
		if err != nil || !f.parseName(entry.Name()) {
			surplus = append(surplus, f.path)
			continue
		}
		f.size = info.Size()
		found = append(found, f)
	}
	slices.SortFunc(found, func(a, b blockFile) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(b.rows, a.rows))
	})
	for i := range x.list { // of another file
		x.drop(x.list[i].mapped)
	}
	x.list = nil
	next := int64(0)
	for _, f := range found {
		if f.first != next {
			surplus = append(surplus, f.path)
			continue
		}
		x.list = append(x.list, f)
		next += f.rows
	}
	for _, path := range surplus {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			x.logger.Warn("remove what is no file of metric points", zap.String("file", path), zap.Error(err))
		}
	}
	x.id, x.loaded = id, true
	return nil
}

const blockSuffix = ".points"

func blockName(first, rows int64) string { return fmt.Sprintf("%d-%d%s", first, rows, blockSuffix) }

func (f *blockFile) parseName(name string) bool {
	base, ok := strings.CutSuffix(name, blockSuffix)
	a, b, two := strings.Cut(base, "-")
	if !ok || !two {
		return false
	}
	var err1, err2 error
	f.first, err1 = strconv.ParseInt(a, 10, 64)
	f.rows, err2 = strconv.ParseInt(b, 10, 64)
	return err1 == nil && err2 == nil && f.first >= 0 && f.rows > 0 && f.first <= 1<<50 && f.rows <= 1<<50
}

// put takes in a block that was written, in place of those that have the same rows.
func (x *blockIndex) put(f blockFile) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	i := slices.IndexFunc(x.list, func(o blockFile) bool { return o.first >= f.first })
	if i < 0 {
		i = len(x.list)
	}
	j := i
	for j < len(x.list) && x.list[j].first < f.first+f.rows {
		j++
	}
	begin, end := int64(0), f.first
	if i > 0 {
		begin = x.list[i-1].first + x.list[i-1].rows
	}
	if j > i {
		end = x.list[j-1].first + x.list[j-1].rows - f.rows
	}
	if begin != f.first || end != f.first {
		return fmt.Errorf("%s does not follow the rows before or does not take the place of whole blocks", f.path)
	}
	for _, o := range x.list[i:j] {
		x.drop(o.mapped)
		if err := os.Remove(o.path); err != nil {
			x.logger.Warn("remove", zap.String("file", o.path), zap.Error(err))
		}
	}
	x.list = slices.Replace(slices.Clone(x.list), i, j, f)
	return nil
}
