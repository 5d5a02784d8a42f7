// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"errors"
	"time"

	"github.com/nephoscope/nephoscope/internal/store"
)

// purgeAge is how old a tombstone must be to be forgotten: events may still be under way, in a queue of the pipeline,
// that were put before the deletion.
const purgeAge = 24 * time.Hour

// withRoom runs a change, and when the registry is full once more after tombstones that hide nothing any more, because
// the store's retention has removed it, were forgotten.
func (s *Service) withRoom(ctx context.Context, change func() error) error {
	err := change()
	if !errors.Is(err, errLimit) {
		return err
	}
	forgotten, purgeErr := s.purge(ctx)
	switch {
	case purgeErr != nil:
		return purgeErr
	case forgotten == 0:
		return err
	}
	return change()
}

// tombstones is what hides events of a group.
type tombstones struct {
	tenant  store.Tenant
	group   groupRow
	streams []streamRow
}

// tombstones returns all that are old enough.
func (r *registry) tombstones(before int64) []tombstones {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var list []tombstones
	for t, ts := range r.tenants {
		for _, g := range ts.groups {
			found := tombstones{tenant: t, group: *g.row}
			if g.row.HiddenUntil >= before {
				found.group.HiddenUntil = 0
			}
			for _, s := range g.streams {
				if s.row.HiddenUntil != 0 && s.row.HiddenUntil < before {
					found.streams = append(found.streams, *s.row)
				}
			}
			if found.group.HiddenUntil != 0 || found.streams != nil {
				list = append(list, found)
			}
		}
	}
	return list
}

// purge forgets tombstones that hide nothing, and says how many.
func (s *Service) purge(ctx context.Context) (int, error) {
	forgotten := 0
	for _, found := range s.reg.tombstones(s.nowMs() - purgeAge.Milliseconds()) {
		events, err := s.countEvents(ctx, found.tenant, store.LogGroupRange{Group: found.group.Name})
		if err != nil {
			return forgotten, err
		}
		hides := func(w store.LogGroupRange, stream string) (bool, error) {
			w.Group = found.group.Name
			visible, err := s.countEvents(ctx, found.tenant, w)
			if err != nil {
				return false, err
			}
			if stream != "" {
				return visible[stream] != events[stream], nil
			}
			for name, n := range events {
				if visible[name] != n {
					return true, nil
				}
			}
			return false, nil
		}
		if until := found.group.HiddenUntil; until != 0 {
			hidden, err := hides(store.LogGroupRange{IngestedAfter: until}, "")
			if err != nil {
				return forgotten, err
			}
			if !hidden {
				if err := s.reg.forgetGroup(ctx, found.group); err != nil {
					return forgotten, err
				}
				forgotten++
			}
		}
		for _, stream := range found.streams {
			hidden, err := hides(store.LogGroupRange{DeletedStreams: map[string]int64{stream.Name: stream.HiddenUntil}}, stream.Name)
			if err != nil {
				return forgotten, err
			}
			if !hidden {
				if err := s.reg.forgetStream(ctx, stream); err != nil {
					return forgotten, err
				}
				forgotten++
			}
		}
	}
	return forgotten, nil
}

// countEvents counts the events of a group's streams.
func (s *Service) countEvents(ctx context.Context, t store.Tenant, w store.LogGroupRange) (map[string]int64, error) {
	counts := map[string]int64{}
	if s.store == nil {
		return counts, nil
	}
	streams, err := s.store.LogStreams(ctx, t, w)
	if err != nil {
		return nil, storageError("list log streams", err)
	}
	for i := range streams {
		counts[streams[i].Stream] = streams[i].Events
	}
	return counts, nil
}

// forgetGroup removes a group's tombstone if it still is the one that was seen.
func (r *registry) forgetGroup(ctx context.Context, seen groupRow) error {
	r.change.Lock()
	defer r.change.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.find(seen.tenant(), seen.Name)
	if g == nil || g.row.HiddenUntil != seen.HiddenUntil {
		return nil
	}
	var puts []*groupRow
	var deletes []string
	row := *g.row
	row.HiddenUntil = 0
	if row.Exists {
		puts = append(puts, &row)
	} else {
		deletes = append(deletes, groupKey(&row))
	}
	c, err := r.groups.plan(puts, deletes)
	if err != nil {
		return err
	}
	if err := commit(context.WithoutCancel(ctx), r.client, c); err != nil {
		return storageError("forget log group", err)
	}
	if row.Exists {
		g.row = &row
	} else {
		delete(r.tenants[seen.tenant()].groups, seen.Name)
	}
	return nil
}

// forgetStream is forgetGroup for a stream.
func (r *registry) forgetStream(ctx context.Context, seen streamRow) error {
	r.change.Lock()
	defer r.change.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.find(seen.tenantOf(), seen.Group)
	if g == nil || g.streams[seen.Name] == nil || g.streams[seen.Name].row.HiddenUntil != seen.HiddenUntil {
		return nil
	}
	var puts []*streamRow
	var deletes []string
	row := *g.streams[seen.Name].row
	row.HiddenUntil = 0
	if row.Exists {
		puts = append(puts, &row)
	} else {
		deletes = append(deletes, streamKey(&row))
	}
	c, err := r.streams.plan(puts, deletes)
	if err != nil {
		return err
	}
	if err := commit(context.WithoutCancel(ctx), r.client, c); err != nil {
		return storageError("forget log stream", err)
	}
	g.show(&row)
	if !row.Exists {
		delete(g.streams, row.Name)
	}
	return nil
}
