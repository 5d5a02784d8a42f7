// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// journal keeps what is being aggregated, so that it survives the process. Its entries are numbered without gaps; merging
// them in any order gives the same periods.
//
// One goroutine writes: what has come while it wrote goes into one transaction.
type journal struct {
	client storage.Client
	writes chan journalWrite
	closed chan struct{}
	done   sync.WaitGroup

	mu sync.Mutex
	// Entries first to next-1 are there; bytes is their size.
	first, next uint64
	bytes       int64
	// compactAt is how many bytes there are to be before the journal is written anew.
	compactAt int64
	sizes     map[uint64]int64
}

type journalWrite struct {
	entry  []byte
	result chan error
}

const (
	keyFirst = "first"
	// maxCommit bounds one transaction.
	maxCommit = 256
	// compactBytes is from where on the journal is written anew, with what it comes to. When that is not much less, it is
	// written anew when it has doubled. refuseBytes is where it ends.
	compactBytes = 64 << 20
	refuseBytes  = 512 << 20
)

var (
	errJournalClosed = errors.New("the exporter is shut down")
	errJournalFull   = errors.New("too much waits to be aggregated")
)

func entryKey(n uint64) string { return "entry/" + strconv.FormatUint(n, 10) }

// openJournal opens the journal and calls replay with each entry.
func openJournal(ctx context.Context, client storage.Client, replay func(entry []byte) error) (*journal, error) {
	j := &journal{
		client: client, writes: make(chan journalWrite), closed: make(chan struct{}), sizes: make(map[uint64]int64),
		compactAt: compactBytes,
	}
	raw, err := client.Get(ctx, keyFirst)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the journal: %w", err)
	case len(raw) == 8:
		j.first = binary.BigEndian.Uint64(raw)
	case raw != nil:
		return nil, fmt.Errorf("the journal's %q has %d bytes, not 8", keyFirst, len(raw))
	}
	for j.next = j.first; ; j.next++ {
		entry, err := client.Get(ctx, entryKey(j.next))
		if err != nil {
			return nil, fmt.Errorf("read entry %d of the journal: %w", j.next, err)
		}
		if entry == nil {
			break
		}
		if err := replay(entry); err != nil {
			return nil, fmt.Errorf("entry %d of the journal: %w", j.next, err)
		}
		j.account(j.next, len(entry))
	}
	j.done.Go(j.run)
	return j, nil
}

func (j *journal) account(n uint64, size int) {
	j.sizes[n] = int64(size)
	j.bytes += int64(size)
}

// append returns when the entry is durable.
func (j *journal) append(ctx context.Context, entry []byte) error {
	w := journalWrite{entry, make(chan error, 1)}
	select {
	case j.writes <- w:
	case <-j.closed:
		return errJournalClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return <-w.result // it is written whether or not somebody waits
}

func (j *journal) run() {
	for {
		var list []journalWrite
		select {
		case w := <-j.writes:
			list = append(list, w)
		case <-j.closed:
			return
		}
	more:
		for len(list) < maxCommit {
			select {
			case w := <-j.writes:
				list = append(list, w)
			default:
				break more
			}
		}
		err := j.commit(list)
		for _, w := range list {
			w.result <- err
		}
	}
}

func (j *journal) commit(list []journalWrite) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.bytes > refuseBytes {
		return errJournalFull
	}
	ops := make([]*storage.Operation, len(list))
	for i, w := range list {
		ops[i] = storage.SetOperation(entryKey(j.next+uint64(i)), w.entry)
	}
	// A write that failed may have been made all the same; its entries are overwritten by the next.
	if err := j.client.Batch(context.Background(), ops...); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	for _, w := range list {
		j.account(j.next, len(w.entry))
		j.next++
	}
	return nil
}

// mark is the number of the next entry.
func (j *journal) mark() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.next
}

// overgrown reports whether the journal should be written anew.
func (j *journal) overgrown() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.bytes > j.compactAt
}

// replace puts entries in the place of those before the mark, in one transaction.
func (j *journal) replace(ctx context.Context, mark uint64, entries [][]byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if mark == j.first && len(entries) == 0 {
		return nil
	}
	ops := []*storage.Operation{storage.SetOperation(keyFirst, binary.BigEndian.AppendUint64(nil, mark))}
	for i, e := range entries {
		ops = append(ops, storage.SetOperation(entryKey(j.next+uint64(i)), e))
	}
	for n := j.first; n < mark; n++ {
		ops = append(ops, storage.DeleteOperation(entryKey(n)))
	}
	if err := j.client.Batch(ctx, ops...); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	for ; j.first < mark; j.first++ {
		j.bytes -= j.sizes[j.first]
		delete(j.sizes, j.first)
	}
	for _, e := range entries {
		j.account(j.next, len(e))
		j.next++
	}
	j.compactAt = min(max(compactBytes, 2*j.bytes), refuseBytes)
	return nil
}

// close ends the writing and gives the client back.
func (j *journal) close(ctx context.Context) error {
	close(j.closed)
	j.done.Wait()
	return j.client.Close(ctx)
}
