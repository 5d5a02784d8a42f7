// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Settings are what a journal is made with.
type Settings struct {
	Client storage.Client
	// Retention is how long history is kept, MaxItems and MaxItemsPerAlarm how much of it.
	Retention                  time.Duration
	MaxItems, MaxItemsPerAlarm int
	// MaxPending bounds the entries that wait for a sink. GivenUp is told of those that had to go, the oldest first.
	MaxPending int
	GivenUp    func(sink Sink, entries int)
}

// RowKind is what a row is of.
type RowKind string

// The kinds of rows.
const (
	RowAlarm    RowKind = "alarm"
	RowMuteRule RowKind = "mute"
)

// RowKey names a row.
type RowKey struct {
	Kind   RowKind
	Tenant cloudwatch.Tenant
	Name   string
}

// Row is the state of one alarm or mute rule.
type Row struct {
	RowKey
	// Value is whatever its owner wants to have back.
	Value []byte
}

// Journal keeps rows and entries. It is safe for concurrent use.
type Journal struct {
	set      Settings
	instance string

	// committing is held by whoever changes the storage. What changes is planned and applied under mu.
	committing sync.Mutex

	mu      sync.Mutex
	rows    slots
	where   map[RowKey]uint32
	entries slots
	// bySeq has where all entries are that are kept, useless those that nothing needs any more.
	bySeq   map[uint64]place
	useless []uint64
	next    uint64 // seq of the next entry
	acked   [sinkCount]uint64
	pending [sinkCount][]uint64 // in order
	history index
}

// place is where an entry is, and whether it is in history.
type place struct {
	slot    uint32
	history bool
}

// Open reads a journal. Each row is given to restore, in no particular order. now is the time by which history is pruned.
func Open(ctx context.Context, set Settings, now time.Time, restore func(Row) error) (*Journal, error) {
	j := &Journal{
		set:  set,
		rows: slots{prefix: "row/"}, where: map[RowKey]uint32{},
		entries: slots{prefix: "entry/"}, bySeq: map[uint64]place{}, next: 1,
		history: newIndex(set.MaxItemsPerAlarm),
	}
	if err := j.load(ctx, now, restore); err != nil {
		return nil, err
	}
	if j.instance == "" {
		j.instance = uuid.NewString()
	}
	return j, nil
}

// Instance is a name that no other journal has, and that this one keeps.
func (j *Journal) Instance() string { return j.instance }

// Change is what is committed at once.
type Change struct {
	// Now is the time by which history is pruned.
	Now time.Time
	// Put are rows that are new or changed, Delete those that are gone. No row is both.
	Put    []Row
	Delete []RowKey
	// Entries get their Seq in the order that they have here.
	Entries []*Entry
}

// maxPruned bounds what one commit removes from history, so that a commit takes no longer for what is past.
const maxPruned = 4096

// Commit makes a change durable. With an error nothing has changed, or all of it has, which cannot be told; the same change
// can be committed again.
func (j *Journal) Commit(ctx context.Context, c *Change) error {
	j.committing.Lock()
	defer j.committing.Unlock()
	p, err := j.plan(c)
	if err != nil {
		return err
	}
	if err := j.set.Client.Batch(ctx, p.ops...); err != nil {
		j.undo(p)
		return fmt.Errorf("keep alarms: %w", err)
	}
	j.apply(c, p)
	return nil
}

// plan is a change on its way to the storage.
type plan struct {
	ops []*storage.Operation
	// newRows and newEntries are slots that were taken.
	newRows    map[RowKey]uint32
	newEntries []uint32
	goneRows   []uint32
	pruned     []Position
	gone       []uint64 // entries that nothing needs any more
}

func (j *Journal) plan(c *Change) (*plan, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := &plan{newRows: map[RowKey]uint32{}, gone: slices.Clone(j.useless)}
	for i := range c.Put {
		r := &c.Put[i]
		value := encodeRow(r)
		slot, ok := j.where[r.RowKey]
		if !ok {
			if slot, ok = p.newRows[r.RowKey]; !ok {
				slot = j.rows.take()
				p.newRows[r.RowKey] = slot
			}
		}
		p.ops = append(p.ops, storage.SetOperation(j.rows.key(slot), value))
	}
	for _, k := range c.Delete {
		if slot, ok := j.where[k]; ok && !slices.Contains(p.goneRows, slot) {
			p.goneRows = append(p.goneRows, slot)
			p.ops = append(p.ops, storage.DeleteOperation(j.rows.key(slot)))
		}
	}
	for i, e := range c.Entries {
		e.Seq = j.next + uint64(i)
		value, err := e.encode()
		if err != nil {
			return nil, fmt.Errorf("entry of alarm %q: %w", e.Alarm, err)
		}
		slot := j.entries.take()
		p.newEntries = append(p.newEntries, slot)
		p.ops = append(p.ops, storage.SetOperation(j.entries.key(slot), value))
	}
	p.pruned = j.history.outdated(c.Now.Add(-j.set.Retention), j.set.MaxItems, maxPruned)
	for _, pos := range p.pruned {
		if !j.isPending(pos.Seq) {
			p.gone = append(p.gone, pos.Seq)
		}
	}
	for _, seq := range p.gone {
		p.ops = append(p.ops, storage.DeleteOperation(j.entries.key(j.bySeq[seq].slot)))
	}
	p.ops = append(p.ops, storage.SetOperation(headKey, j.head(j.next+uint64(len(c.Entries)))))
	return p, nil
}

// undo gives back what was taken, in an order that makes the next plan take the same.
func (j *Journal) undo(p *plan) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, slot := range slices.Backward(p.newEntries) {
		j.entries.giveBack(slot)
	}
	for _, slot := range p.newRows {
		j.rows.giveBack(slot)
	}
}

func (j *Journal) apply(c *Change, p *plan) {
	j.mu.Lock()
	maps.Copy(j.where, p.newRows)
	for _, k := range c.Delete {
		delete(j.where, k)
	}
	for _, slot := range p.goneRows {
		j.rows.giveBack(slot)
	}
	j.history.remove(p.pruned)
	for _, pos := range p.pruned {
		j.bySeq[pos.Seq] = place{slot: j.bySeq[pos.Seq].slot}
	}
	for _, seq := range p.gone {
		j.forget(seq)
	}
	j.useless = j.useless[:0]
	j.next += uint64(len(c.Entries))
	for i, e := range c.Entries {
		j.addEntry(e, p.newEntries[i])
	}
	givenUp := j.boundPending()
	j.mu.Unlock()
	for sink, n := range givenUp {
		if n > 0 && j.set.GivenUp != nil {
			j.set.GivenUp(Sink(sink), n)
		}
	}
}

func (j *Journal) addEntry(e *Entry, slot uint32) {
	j.bySeq[e.Seq] = place{slot, e.History != ""}
	if e.History != "" {
		j.history.add(e)
	}
	for sink := range sinkCount {
		if e.Sinks.Has(sink) && e.Seq > j.acked[sink] {
			j.pending[sink] = append(j.pending[sink], e.Seq)
		}
	}
}

// forget drops an entry whose key is deleted.
func (j *Journal) forget(seq uint64) {
	if at, ok := j.bySeq[seq]; ok {
		delete(j.bySeq, seq)
		j.entries.giveBack(at.slot)
	}
}

func (j *Journal) isPending(seq uint64) bool {
	for sink := range sinkCount {
		if _, found := slices.BinarySearch(j.pending[sink], seq); found {
			return true
		}
	}
	return false
}

// boundPending gives up the oldest entries of sinks that have too many.
func (j *Journal) boundPending() (givenUp [sinkCount]int) {
	for sink := range sinkCount {
		list := j.pending[sink]
		n := len(list) - j.set.MaxPending
		if n <= 0 {
			continue
		}
		j.acked[sink] = list[n-1]
		j.pending[sink] = list[n:]
		givenUp[sink] = n
		for _, seq := range list[:n] {
			if !j.needed(seq) {
				j.useless = append(j.useless, seq)
			}
		}
	}
	return givenUp
}

// needed is whether history or a sink needs an entry.
func (j *Journal) needed(seq uint64) bool { return j.bySeq[seq].history || j.isPending(seq) }

// Pending returns the entries that wait for a sink, at most limit, oldest first, and how many wait in all.
func (j *Journal) Pending(sink Sink, limit int) (seqs []uint64, all int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := j.pending[sink]
	return slices.Clone(list[:min(limit, len(list))]), len(list)
}

// Acknowledge says that a sink has taken all entries up to seq.
func (j *Journal) Acknowledge(ctx context.Context, sink Sink, seq uint64) error {
	j.committing.Lock()
	defer j.committing.Unlock()
	j.mu.Lock()
	before, waiting := j.acked, j.pending[sink]
	n, found := slices.BinarySearch(waiting, seq)
	if found {
		n++
	}
	j.acked[sink] = max(j.acked[sink], seq)
	j.pending[sink] = waiting[n:]
	var gone []uint64
	for _, s := range waiting[:n] {
		if !j.needed(s) {
			gone = append(gone, s)
		}
	}
	ops := []*storage.Operation{storage.SetOperation(headKey, j.head(j.next))}
	for _, s := range gone {
		ops = append(ops, storage.DeleteOperation(j.entries.key(j.bySeq[s].slot)))
	}
	j.mu.Unlock()
	err := j.set.Client.Batch(ctx, ops...)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		// It is delivered once more.
		j.acked, j.pending[sink] = before, waiting
		return fmt.Errorf("keep what was delivered: %w", err)
	}
	for _, s := range gone {
		j.forget(s)
	}
	return nil
}

// Read returns entries by their seq, those that are kept still.
func (j *Journal) Read(ctx context.Context, seqs []uint64) ([]*Entry, error) {
	j.mu.Lock()
	ops := make([]*storage.Operation, 0, len(seqs))
	for _, seq := range seqs {
		if at, ok := j.bySeq[seq]; ok {
			ops = append(ops, storage.GetOperation(j.entries.key(at.slot)))
		}
	}
	j.mu.Unlock()
	if len(ops) == 0 {
		return nil, nil
	}
	if err := j.set.Client.Batch(ctx, ops...); err != nil {
		return nil, fmt.Errorf("read what happened to alarms: %w", err)
	}
	entries := make([]*Entry, 0, len(ops))
	for _, op := range ops {
		if op.Value == nil {
			continue // it went meanwhile
		}
		e, err := decodeEntry(op.Value)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", op.Key, err)
		}
		if slices.Contains(seqs, e.Seq) { // the slot may hold another one meanwhile
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// Find returns a page of history. more is whether there is more behind the last one.
func (j *Journal) Find(ctx context.Context, q *Query) (entries []*Entry, more bool, err error) {
	j.mu.Lock()
	found := j.history.find(q)
	j.mu.Unlock()
	if len(found) > q.Limit {
		found, more = found[:q.Limit], true
	}
	seqs := make([]uint64, len(found))
	for i, p := range found {
		seqs[i] = p.Seq
	}
	entries, err = j.Read(ctx, seqs)
	return entries, more, err
}

// Position is where the entry is in history.
func (e *Entry) Position() Position { return Position{e.Time.UnixNano(), e.Seq} }

// HistoryItems is how many items history has.
func (j *Journal) HistoryItems() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.history.items)
}
