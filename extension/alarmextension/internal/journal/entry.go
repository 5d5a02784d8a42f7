// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/alarm/alarmevent"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Sink is where entries go.
type Sink uint8

// The sinks.
const (
	// SinkActions takes the actions of events, SinkEvents the events for pipelines.
	SinkActions Sink = iota
	SinkEvents
	sinkCount
)

// String is the name of a sink in metrics.
func (s Sink) String() string {
	if s == SinkActions {
		return "actions"
	}
	return "events"
}

// Sinks is a set of sinks.
type Sinks uint8

// Of makes a set.
func Of(list ...Sink) Sinks {
	var s Sinks
	for _, sink := range list {
		s |= 1 << sink
	}
	return s
}

// Has is whether a sink is in the set.
func (s Sinks) Has(sink Sink) bool { return s&(1<<sink) != 0 }

// Entry is one thing that happened to one alarm.
type Entry struct {
	// Seq numbers entries in the order in which they were committed, from 1. The journal sets it.
	Seq    uint64 `json:"-"`
	Header `json:"-"`

	// Event is what the alarm did. Tags are those that the alarm had then.
	Event *alarm.Event `json:",omitempty"`
	Tags  []alarm.Tag  `json:",omitempty"`
	// Result is how an action ended, ActionID the action's id.
	Result   *alarmevent.ActionResult `json:",omitempty"`
	ActionID string                   `json:",omitempty"`
	// ContributorAttributes go with Contributor.
	ContributorAttributes map[string]string `json:",omitempty"`
}

// Header is what entries are found by.
type Header struct {
	Time   time.Time
	Tenant cloudwatch.Tenant
	Alarm  string // name
	// AlarmType is MetricAlarm or CompositeAlarm.
	AlarmType string
	// History is "" for an entry that history does not have.
	History alarmevent.HistoryType
	// Contributor is the id of the contributor that it is about, "" for the alarm itself.
	Contributor string
	// Sinks are those that have to take it.
	Sinks Sinks
}

const entryVersion = 1

var errEntry = errors.New("not an entry of the journal")

// encode writes the header so that it can be read without the rest.
func (e *Entry) encode() ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(body)+128)
	b = append(b, entryVersion, byte(e.Sinks))
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time.UnixNano()))
	b = appendText(b, e.Tenant.Account, e.Tenant.Region, e.Alarm, e.AlarmType, string(e.History), e.Contributor)
	return append(b, body...), nil
}

// appendText appends texts with their lengths.
func appendText(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// cutTexts reads texts, and returns what follows them.
func cutTexts(b []byte, texts []string) (rest []byte, ok bool) {
	for i := range texts {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return nil, false
		}
		texts[i] = string(b[size : size+int(n)])
		b = b[size+int(n):]
	}
	return b, true
}

// decodeHeader returns the entry without what follows the header, which is rest.
func decodeHeader(b []byte) (e *Entry, rest []byte, err error) {
	const fixed = 18
	if len(b) < fixed || b[0] != entryVersion {
		return nil, nil, errEntry
	}
	e = &Entry{Seq: binary.BigEndian.Uint64(b[2:]), Header: Header{Sinks: Sinks(b[1])}}
	e.Time = time.Unix(0, int64(binary.BigEndian.Uint64(b[10:]))).UTC()
	var texts [6]string
	rest, ok := cutTexts(b[fixed:], texts[:])
	if !ok {
		return nil, nil, errEntry
	}
	e.Tenant = cloudwatch.Tenant{Account: texts[0], Region: texts[1]}
	e.Alarm, e.AlarmType, e.History, e.Contributor = texts[2], texts[3], alarmevent.HistoryType(texts[4]), texts[5]
	return e, rest, nil
}

func decodeEntry(b []byte) (*Entry, error) {
	e, rest, err := decodeHeader(b)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(rest, e); err != nil {
		return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
	}
	return e, nil
}
