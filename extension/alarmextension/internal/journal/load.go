// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

const (
	headKey     = "head"
	headVersion = 1
	// maxRead bounds the slots that are read together.
	maxRead = 512
)

// head is what has to be known of the rest.
type head struct {
	Version  int
	Instance string
	Rows     uint32
	Entries  uint32
	Next     uint64
	Acked    []uint64
}

func (j *Journal) head(next uint64) []byte {
	text, err := json.Marshal(head{headVersion, j.instance, j.rows.count, j.entries.count, next, j.acked[:]})
	if err != nil {
		panic(err) // numbers and a name
	}
	return text
}

const rowVersion = 1

var errRow = errors.New("not a row of the journal")

// encodeRow writes the key and then the value.
func encodeRow(r *Row) []byte {
	b := make([]byte, 0, len(r.Value)+len(r.Name)+64)
	b = append(b, rowVersion)
	b = appendText(b, string(r.Kind), r.Tenant.Account, r.Tenant.Region, r.Name)
	return append(b, r.Value...)
}

func decodeRow(b []byte) (r Row, err error) {
	if len(b) == 0 || b[0] != rowVersion {
		return r, errRow
	}
	var texts [4]string
	rest, ok := cutTexts(b[1:], texts[:])
	if !ok {
		return r, errRow
	}
	r = Row{Value: rest}
	r.Kind, r.Tenant.Account, r.Tenant.Region, r.Name = RowKind(texts[0]), texts[1], texts[2], texts[3]
	return r, nil
}

func (j *Journal) load(ctx context.Context, now time.Time, restore func(Row) error) error {
	text, err := j.set.Client.Get(ctx, headKey)
	if err != nil {
		return fmt.Errorf("read %s: %w", headKey, err)
	}
	if text == nil {
		return nil
	}
	var h head
	if err := json.Unmarshal(text, &h); err != nil {
		return fmt.Errorf("read %s: %w", headKey, err)
	}
	if h.Version != headVersion {
		return fmt.Errorf("read %s: version %d was written by another release; this one reads %d", headKey, h.Version, headVersion)
	}
	j.instance, j.next = h.Instance, h.Next
	copy(j.acked[:], h.Acked)
	err = j.loadSlots(ctx, &j.rows, h.Rows, func(slot uint32, value []byte) error {
		r, err := decodeRow(value)
		if err != nil {
			return err
		}
		j.where[r.RowKey] = slot
		return restore(r)
	})
	if err != nil {
		return err
	}
	return j.loadEntries(ctx, h.Entries, now)
}

// loadSlots reads all slots. Those without a value are free.
func (j *Journal) loadSlots(ctx context.Context, s *slots, count uint32, each func(slot uint32, value []byte) error) error {
	s.count = count
	for from := uint32(0); from < count; from += maxRead {
		ops := make([]*storage.Operation, 0, maxRead)
		for slot := from; slot < min(count, from+maxRead); slot++ {
			ops = append(ops, storage.GetOperation(s.key(slot)))
		}
		if err := j.set.Client.Batch(ctx, ops...); err != nil {
			return fmt.Errorf("read %s…: %w", ops[0].Key, err)
		}
		for i, op := range ops {
			slot := from + uint32(i)
			if op.Value == nil {
				s.giveBack(slot)
				continue
			}
			if err := each(slot, op.Value); err != nil {
				return fmt.Errorf("read %s: %w", op.Key, err)
			}
		}
	}
	return nil
}

func (j *Journal) loadEntries(ctx context.Context, count uint32, now time.Time) error {
	type found struct {
		*Entry
		slot uint32
	}
	var all []found
	err := j.loadSlots(ctx, &j.entries, count, func(slot uint32, value []byte) error {
		e, _, err := decodeHeader(value)
		if err == nil {
			all = append(all, found{e, slot})
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b found) int { return a.Position().compare(b.Position()) })
	for _, f := range all {
		j.addEntry(f.Entry, f.slot)
	}
	for sink := range sinkCount {
		slices.Sort(j.pending[sink])
	}
	// Entries that wait for a sink may be out of history already.
	old := j.history.outdated(now.Add(-j.set.Retention), j.set.MaxItems, len(all))
	j.history.remove(old)
	for _, p := range old {
		j.bySeq[p.Seq] = place{slot: j.bySeq[p.Seq].slot}
	}
	for _, f := range all {
		if !j.needed(f.Seq) {
			j.useless = append(j.useless, f.Seq)
		}
	}
	slices.SortFunc(j.useless, cmp.Compare)
	return nil
}
