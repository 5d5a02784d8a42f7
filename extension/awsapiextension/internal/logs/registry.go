// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

// Default bounds of the registry, over all accounts and regions. Tombstones count.
const (
	maxGroups      = 50_000
	maxStreams     = 250_000
	maxDefinitions = 1000 // per account and region
)

// groupRow is a log group as it is kept. Rows are never changed, only replaced.
type groupRow struct {
	Account   string            `json:"account"`
	Region    string            `json:"region"`
	Name      string            `json:"name"`
	Exists    bool              `json:"exists,omitempty"` // false: only the tombstone is left
	Created   int64             `json:"created,omitempty"`
	Retention int32             `json:"retention,omitempty"` // days; 0 keeps for ever
	Class     string            `json:"class,omitempty"`     // "" is STANDARD
	Protected bool              `json:"protected,omitempty"`
	Tags      map[string]string `json:"tags,omitempty"`
	// HiddenUntil hides events ingested up to then (Unix ms): the group was deleted.
	HiddenUntil int64 `json:"hidden_until,omitempty"`
}

func (r *groupRow) tenant() store.Tenant { return store.Tenant{Account: r.Account, Region: r.Region} }

func (r *groupRow) class() string {
	if r.Class == "" {
		return cloudwatchlogs.ClassStandard
	}
	return r.Class
}

// notBefore is the oldest timestamp that the group's retention lets be seen at now, 0 when it is unlimited.
func (r *groupRow) notBefore(now int64) int64 {
	if r.Retention == 0 {
		return 0
	}
	return max(now-int64(r.Retention)*86_400_000, 0)
}

// streamRow is a log stream as it is kept.
type streamRow struct {
	Account     string `json:"account"`
	Region      string `json:"region"`
	Group       string `json:"group"`
	Name        string `json:"name"`
	Exists      bool   `json:"exists,omitempty"`
	Created     int64  `json:"created,omitempty"`
	HiddenUntil int64  `json:"hidden_until,omitempty"`
}

// definitionRow is a saved query as it is kept.
type definitionRow struct {
	Account    string            `json:"account"`
	Region     string            `json:"region"`
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Query      string            `json:"query"`
	Groups     []string          `json:"groups,omitempty"`
	Parameters []definitionParam `json:"parameters,omitempty"`
	Modified   int64             `json:"modified"`
	Token      string            `json:"token,omitempty"` // the clientToken that created it
}

type definitionParam struct {
	Name        string  `json:"name"`
	Default     *string `json:"default,omitempty"`
	Description *string `json:"description,omitempty"`
}

// Keys of rows. Names cannot hold NUL: groups by their alphabet, streams because it is checked at the door.
func groupKey(r *groupRow) string   { return r.Account + "\x00" + r.Region + "\x00" + r.Name }
func streamKey(r *streamRow) string { return streamRowKey(r.Account, r.Region, r.Group, r.Name) }
func streamRowKey(account, region, group, name string) string {
	return account + "\x00" + region + "\x00" + group + "\x00" + name
}
func definitionKey(r *definitionRow) string { return r.Account + "\x00" + r.Region + "\x00" + r.ID }

// group is a log group in memory.
type group struct {
	row     *groupRow
	streams map[string]*stream
	// hiddenStreams has the tombstones of streams; it is replaced, never changed.
	hiddenStreams map[string]int64
	// lastIngested is the latest time of ingestion given to events of the group since the start.
	lastIngested atomic.Int64
}

type stream struct {
	row *streamRow
}

// tenantState is what one account has in one region.
type tenantState struct {
	groups      map[string]*group
	definitions map[string]*definitionRow
}

// registry is what is known of groups, streams and saved queries. A change is durable before it is seen.
type registry struct {
	client                                storage.Client
	maxGroups, maxStreams, maxDefinitions int

	// change is held by whoever makes a change, from its decision until it is visible.
	change sync.Mutex
	groups *table[groupRow]
	// streams and definitions are guarded by change, as groups is.
	streams     *table[streamRow]
	definitions *table[definitionRow]

	// mu guards what readers see. It is taken for moments, and for a whole change only by a deletion.
	mu      sync.RWMutex
	tenants map[store.Tenant]*tenantState
}

func openRegistry(ctx context.Context, client storage.Client) (*registry, error) {
	r := &registry{
		client: client, maxGroups: maxGroups, maxStreams: maxStreams, maxDefinitions: maxDefinitions,
		tenants: map[store.Tenant]*tenantState{},
	}
	var err error
	if r.groups, err = loadTable(ctx, client, "logs/groups", 32, groupKey); err != nil {
		return nil, err
	}
	if r.streams, err = loadTable(ctx, client, "logs/streams", 128, streamKey); err != nil {
		return nil, err
	}
	if r.definitions, err = loadTable(ctx, client, "logs/query_definitions", 16, definitionKey); err != nil {
		return nil, err
	}
	r.groups.each(func(row *groupRow) { r.show(row) })
	r.streams.each(func(row *streamRow) {
		if g := r.find(row.tenantOf(), row.Group); g != nil {
			g.show(row)
		}
	})
	r.definitions.each(func(row *definitionRow) {
		r.tenant(store.Tenant{Account: row.Account, Region: row.Region}).definitions[row.ID] = row
	})
	return r, nil
}

func (r *streamRow) tenantOf() store.Tenant {
	return store.Tenant{Account: r.Account, Region: r.Region}
}

// tenant returns the state of a tenant, made when there is none. The caller holds mu.
func (r *registry) tenant(t store.Tenant) *tenantState {
	ts := r.tenants[t]
	if ts == nil {
		ts = &tenantState{groups: map[string]*group{}, definitions: map[string]*definitionRow{}}
		r.tenants[t] = ts
	}
	return ts
}

// find returns a group, also one of which only the tombstone is left, or nil. The caller holds mu.
func (r *registry) find(t store.Tenant, name string) *group {
	if ts := r.tenants[t]; ts != nil {
		return ts.groups[name]
	}
	return nil
}

// show makes a group's row visible. The caller holds mu.
func (r *registry) show(row *groupRow) {
	ts := r.tenant(row.tenant())
	g := ts.groups[row.Name]
	if g == nil {
		g = &group{streams: map[string]*stream{}}
		ts.groups[row.Name] = g
	}
	g.row = row
}

// show makes a stream's row visible. The caller holds mu.
func (g *group) show(row *streamRow) {
	g.streams[row.Name] = &stream{row: row}
	if g.hiddenStreams[row.Name] != row.HiddenUntil {
		hidden := maps.Clone(g.hiddenStreams)
		if hidden == nil {
			hidden = map[string]int64{}
		}
		if hidden[row.Name] = row.HiddenUntil; row.HiddenUntil == 0 {
			delete(hidden, row.Name)
		}
		g.hiddenStreams = hidden
	}
}

// groupView is what a reader may keep of a group.
type groupView struct {
	*groupRow
	hiddenStreams map[string]int64
}

// window selects the group's events, less what its retention and deletions hide at now.
func (v groupView) window(now int64) store.LogGroupRange {
	return store.LogGroupRange{
		Group: v.Name, NotBefore: v.notBefore(now), IngestedAfter: v.HiddenUntil, DeletedStreams: v.hiddenStreams,
	}
}

// view returns a group that exists, or false.
func (r *registry) view(t store.Tenant, name string) (groupView, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	g := r.find(t, name)
	if g == nil || !g.row.Exists {
		return groupView{}, false
	}
	return groupView{g.row, g.hiddenStreams}, true
}

// tombstone returns the window of a group that does not exist here.
func (r *registry) tombstone(t store.Tenant, name string) store.LogGroupRange {
	r.mu.RLock()
	defer r.mu.RUnlock()
	w := store.LogGroupRange{Group: name}
	if g := r.find(t, name); g != nil {
		w.IngestedAfter = g.row.HiddenUntil
	}
	return w
}

// views returns all groups of a tenant that exist, in no order, and the tombstones of those that do not.
func (r *registry) views(t store.Tenant) (exist map[string]groupView, gone map[string]int64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	exist, gone = map[string]groupView{}, map[string]int64{}
	if ts := r.tenants[t]; ts != nil {
		for name, g := range ts.groups {
			if g.row.Exists {
				exist[name] = groupView{g.row, g.hiddenStreams}
			} else {
				gone[name] = g.row.HiddenUntil
			}
		}
	}
	return exist, gone
}

// streamRows returns the rows of a group's streams that exist, by name.
func (r *registry) streamRows(t store.Tenant, name string) map[string]*streamRow {
	r.mu.RLock()
	defer r.mu.RUnlock()
	rows := map[string]*streamRow{}
	if g := r.find(t, name); g != nil {
		for n, s := range g.streams {
			if s.row.Exists {
				rows[n] = s.row
			}
		}
	}
	return rows
}

// admission says that events may be put into a stream.
type admission struct {
	ingested  int64 // Unix ms
	notBefore int64 // the group's retention
	class     string
}

// admit gives events that arrive now their time of ingestion, later than all that the deletions of group and stream
// hide. It reports whether group and stream exist.
func (r *registry) admit(t store.Tenant, groupName, streamName string, now int64) (a admission, hasGroup, hasStream bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	g := r.find(t, groupName)
	if g == nil || !g.row.Exists {
		return a, false, false
	}
	s := g.streams[streamName]
	if s == nil || !s.row.Exists {
		return a, true, false
	}
	a.ingested = max(now, g.row.HiddenUntil+1, s.row.HiddenUntil+1)
	for {
		last := g.lastIngested.Load()
		if a.ingested <= last || g.lastIngested.CompareAndSwap(last, a.ingested) {
			break
		}
	}
	a.notBefore = g.row.notBefore(now)
	a.class = g.row.class()
	return a, true, true
}

// putGroup stores a group's row that edit makes of the present one. Edit gets a copy, nil when there is no row; an
// error of its ends the change.
func (r *registry) putGroup(ctx context.Context, t store.Tenant, name string, edit func(*groupRow) (*groupRow, error)) error {
	r.change.Lock()
	defer r.change.Unlock()
	var now *groupRow
	r.mu.RLock()
	if g := r.find(t, name); g != nil {
		row := *g.row
		now = &row
	}
	r.mu.RUnlock()
	row, err := edit(now)
	if err != nil {
		return err
	}
	if now == nil && r.groups.len() >= r.maxGroups {
		return errLimit
	}
	c, err := r.groups.plan([]*groupRow{row}, nil)
	if err != nil {
		return err
	}
	if err := commit(context.WithoutCancel(ctx), r.client, c); err != nil {
		return storageError("store log group", err)
	}
	r.mu.Lock()
	r.show(row)
	r.mu.Unlock()
	return nil
}

// putStream is putGroup for a stream of a group that exists.
func (r *registry) putStream(
	ctx context.Context, t store.Tenant, groupName, name string, edit func(*streamRow) (*streamRow, error),
) error {
	r.change.Lock()
	defer r.change.Unlock()
	var now *streamRow
	r.mu.RLock()
	g := r.find(t, groupName)
	exists := g != nil && g.row.Exists
	if exists && g.streams[name] != nil {
		row := *g.streams[name].row
		now = &row
	}
	r.mu.RUnlock()
	if !exists {
		return errNoGroup
	}
	row, err := edit(now)
	if err != nil {
		return err
	}
	if now == nil && r.streams.len() >= r.maxStreams {
		return errLimit
	}
	c, err := r.streams.plan([]*streamRow{row}, nil)
	if err != nil {
		return err
	}
	if err := commit(context.WithoutCancel(ctx), r.client, c); err != nil {
		return storageError("store log stream", err)
	}
	r.mu.Lock()
	g.show(row)
	r.mu.Unlock()
	return nil
}

// deleteGroup replaces a group by its tombstone, and forgets its streams. Nobody is admitted meanwhile, so the
// tombstone covers all that was put before.
func (r *registry) deleteGroup(ctx context.Context, t store.Tenant, name string, hiddenUntil int64) error {
	r.change.Lock()
	defer r.change.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.find(t, name)
	switch {
	case g == nil || !g.row.Exists:
		return errNoGroup
	case g.row.Protected:
		return errProtected
	}
	row := &groupRow{
		Account: t.Account, Region: t.Region, Name: name,
		HiddenUntil: max(hiddenUntil, g.lastIngested.Load(), g.row.HiddenUntil),
	}
	keys := make([]string, 0, len(g.streams))
	for _, s := range g.streams {
		row.HiddenUntil = max(row.HiddenUntil, s.row.HiddenUntil)
		keys = append(keys, streamKey(s.row))
	}
	groups, err := r.groups.plan([]*groupRow{row}, nil)
	if err != nil {
		return err
	}
	streams, err := r.streams.plan(nil, keys)
	if err != nil {
		return err
	}
	if err := commit(context.WithoutCancel(ctx), r.client, groups, streams); err != nil {
		return storageError("delete log group", err)
	}
	g.row, g.streams, g.hiddenStreams = row, map[string]*stream{}, nil
	return nil
}

// deleteStream replaces a stream by its tombstone.
func (r *registry) deleteStream(ctx context.Context, t store.Tenant, groupName, name string, hiddenUntil int64) error {
	r.change.Lock()
	defer r.change.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.find(t, groupName)
	switch {
	case g == nil || !g.row.Exists:
		return errNoGroup
	case g.row.Protected:
		return errProtected
	}
	row := &streamRow{
		Account: t.Account, Region: t.Region, Group: groupName, Name: name,
		HiddenUntil: max(hiddenUntil, g.lastIngested.Load()),
	}
	if s := g.streams[name]; s != nil {
		row.HiddenUntil = max(row.HiddenUntil, s.row.HiddenUntil)
	} else if r.streams.len() >= r.maxStreams {
		return errLimit
	}
	c, err := r.streams.plan([]*streamRow{row}, nil)
	if err != nil {
		return err
	}
	if err := commit(context.WithoutCancel(ctx), r.client, c); err != nil {
		return storageError("delete log stream", err)
	}
	g.show(row)
	return nil
}

// hasStream reports whether a stream was created here, or adopted, and exists.
func (r *registry) hasStream(t store.Tenant, groupName, name string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	g := r.find(t, groupName)
	return g != nil && g.streams[name] != nil && g.streams[name].row.Exists
}
