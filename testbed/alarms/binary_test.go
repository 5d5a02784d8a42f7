// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarms

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/testbed/collector"
)

// TestKill has the built collector evaluate an alarm of ten seconds, kills it as soon as the alarm went off, and starts it
// again: the transition is there, once.
func TestKill(t *testing.T) {
	t.Parallel()
	r := listen(t)
	c := collector.Start(t, collector.Options{})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the collector's log:\n%s", c.Log())
		}
	})
	python(t, c.AWS, "create.py", r.URL+"/sns")
	r.eventually(t, "the subscription is confirmed", func() bool { return r.confirmed })
	python(t, c.AWS, "watch.py", "create", "arn:aws:sns:us-east-1:000000000000:ops")
	took, err := strconv.ParseFloat(strings.TrimSpace(string(python(t, c.AWS, "watch.py", "until-alarm"))), 64)
	require.NoError(t, err)
	assert.Less(t, took, 30.0, "seconds until the alarm went off")
	c.Kill()

	c.Start(t)
	// It is evaluated at least once more.
	python(t, c.AWS, "watch.py", "feed", "12")
	var seen struct {
		Alarms  []struct{ AlarmName, StateValue, StateReason string }
		History []struct{ HistoryItemType, HistorySummary string }
	}
	require.NoError(t, json.Unmarshal(python(t, c.AWS, "observe.py"), &seen))
	require.Len(t, seen.Alarms, 1)
	assert.Equal(t, "ALARM", seen.Alarms[0].StateValue)
	assert.Contains(t, seen.Alarms[0].StateReason, "Threshold Crossed: 1 datapoint [9.0 (")
	updates, actions := []string{}, []string{}
	for _, h := range seen.History {
		switch h.HistoryItemType {
		case "StateUpdate":
			updates = append(updates, h.HistorySummary)
		case "Action":
			actions = append(actions, h.HistorySummary)
		}
	}
	assert.Equal(t, []string{"Alarm updated from INSUFFICIENT_DATA to ALARM"}, updates)
	assert.Equal(t, []string{"Successfully executed action arn:aws:sns:us-east-1:000000000000:ops"}, actions)
	// A subscriber may be told twice when the first time is not known any more, as with SNS.
	r.eventually(t, "the notification", func() bool { return len(r.sns) >= 1 })
	for _, n := range r.of("queue") {
		assert.Equal(t, `ALARM: "queue" in US East (N. Virginia)`, n.Subject)
	}
	c.Stop(t)

	// A third life changes nothing, either.
	c.Start(t)
	again := seen
	require.NoError(t, json.Unmarshal(python(t, c.AWS, "observe.py"), &again))
	assert.Equal(t, seen, again)
}
