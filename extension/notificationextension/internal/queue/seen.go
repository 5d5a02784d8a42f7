// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
)

// seen is the actions that were accepted, the last so many of them. It is guarded by the queue's lock.
type seen struct {
	table  *records.Table
	max    int
	known  map[seenID]struct{}
	order  []seenID // oldest first, from first on
	first  int
	number uint64
}

// seenID stands for an action's ID.
type seenID [16]byte

const seenRecord = len(seenID{}) + 8

func idOf(action string) seenID {
	sum := sha256.Sum256([]byte(action))
	return seenID(sum[:16])
}

func openSeen(ctx context.Context, store *records.Store, remember int) (*seen, error) {
	s := &seen{max: remember, known: map[seenID]struct{}{}}
	type numbered struct {
		id     seenID
		number uint64
	}
	var list []numbered
	var err error
	s.table, err = records.Load(ctx, store, "seen", func(value []byte) (string, error) {
		if len(value) != seenRecord {
			return "", fmt.Errorf("%d bytes are no record of an action", len(value))
		}
		n := numbered{id: seenID(value[:16]), number: binary.BigEndian.Uint64(value[16:])}
		list = append(list, n)
		return string(n.id[:]), nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b numbered) int { return cmp.Compare(a.number, b.number) })
	for _, n := range list {
		s.known[n.id] = struct{}{}
		s.order = append(s.order, n.id)
		s.number = n.number + 1
	}
	return s, nil
}

func (s *seen) has(action string) bool {
	_, ok := s.known[idOf(action)]
	return ok
}

func (s *seen) add(c *records.Change, action string) {
	id := idOf(action)
	if _, ok := s.known[id]; ok {
		return
	}
	for len(s.order)-s.first >= s.max {
		oldest := s.order[s.first]
		s.first++
		delete(s.known, oldest)
		s.table.Delete(c, string(oldest[:]))
	}
	if s.first > s.max {
		s.order = slices.Clone(s.order[s.first:])
		s.first = 0
	}
	s.known[id] = struct{}{}
	s.order = append(s.order, id)
	value := make([]byte, 0, seenRecord)
	value = append(value, id[:]...)
	value = binary.BigEndian.AppendUint64(value, s.number)
	s.number++
	s.table.Put(c, string(id[:]), value)
}

// forget makes an action unknown that was not accepted after all.
func (s *seen) forget(action string) {
	id := idOf(action)
	if _, ok := s.known[id]; !ok {
		return
	}
	delete(s.known, id)
	for i := len(s.order) - 1; i >= s.first; i-- { // it is one of the last
		if s.order[i] == id {
			s.order = slices.Delete(s.order, i, i+1)
			return
		}
	}
}
