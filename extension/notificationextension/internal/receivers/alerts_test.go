// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func transition(minute int, state alarm.State, labels ...string) *actions.Action {
	a := &actions.Action{
		AlarmARN: "arn", AlarmName: "cpu", New: state, Time: start.Add(time.Duration(minute) * time.Minute), Reason: string(state),
		Tenant: cloudwatch.Tenant{Account: "1", Region: "r"}, Labels: map[string]string{"empty": ""},
	}
	for i := 0; i < len(labels); i += 2 {
		a.Labels[labels[i]] = labels[i+1]
	}
	return a
}

// history applies transitions one after another and returns the alerts as they are in the end, by severity and state.
func history(t *testing.T, severity string, list ...*actions.Action) map[string]*kept {
	t.Helper()
	b := &alertBook{byKey: map[string]*kept{}, byAlarm: map[string][]*kept{}}
	for _, a := range list {
		now := a.Time.Add(time.Second)
		for _, k := range change(a, b.of("arn\n"), severity, now) {
			require.NoError(t, k.alert().Validate())
			b.set(k)
		}
	}
	out := map[string]*kept{}
	for _, k := range b.byKey {
		out[string(k.Labels[labelSeverity]+"/"+k.Labels[labelState])] = k
	}
	return out
}

func TestChanges(t *testing.T) {
	minute := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	t.Run("alarm and ok", func(t *testing.T) {
		got := history(t, "info", transition(1, alarm.StateAlarm), transition(5, alarm.StateOK))
		require.Len(t, got, 1)
		k := got["error/"]
		assert.Equal(t, model.LabelSet{"alertname": "cpu", "alarm_arn": "arn", "account": "1", "region": "r", "severity": "error"}, k.Labels)
		assert.Equal(t, minute(1), k.StartsAt)
		assert.Equal(t, minute(5), k.EndsAt)
	})
	t.Run("ok without alarm", func(t *testing.T) {
		assert.Empty(t, history(t, "info", transition(5, alarm.StateOK)))
	})
	t.Run("alarm again", func(t *testing.T) {
		got := history(t, "info", transition(1, alarm.StateAlarm), transition(5, alarm.StateAlarm))
		assert.Equal(t, minute(1), got["error/"].StartsAt)
		assert.Equal(t, model.LabelValue("ALARM"), got["error/"].Annotations["reason"])
		assert.True(t, got["error/"].firing())
		got = history(t, "info", transition(1, alarm.StateAlarm), transition(5, alarm.StateOK), transition(9, alarm.StateAlarm))
		assert.Equal(t, minute(9), got["error/"].StartsAt)
	})
	t.Run("no data", func(t *testing.T) {
		got := history(t, "info", transition(1, alarm.StateAlarm), transition(5, alarm.StateInsufficientData))
		require.Len(t, got, 2)
		assert.True(t, got["error/"].firing())
		assert.True(t, got["info/INSUFFICIENT_DATA"].firing())
		got = history(t, "info", transition(1, alarm.StateAlarm), transition(5, alarm.StateInsufficientData), transition(6, alarm.StateAlarm))
		assert.True(t, got["error/"].firing())
		assert.Equal(t, minute(6), got["info/INSUFFICIENT_DATA"].EndsAt)
		got = history(t, "info", transition(5, alarm.StateInsufficientData), transition(6, alarm.StateOK))
		assert.False(t, got["info/INSUFFICIENT_DATA"].firing())
		assert.Empty(t, history(t, SeverityOff, transition(5, alarm.StateInsufficientData)))
	})
	t.Run("other labels", func(t *testing.T) {
		got := history(t, "info", transition(1, alarm.StateAlarm, "severity", "warning"), transition(5, alarm.StateAlarm, "severity", "critical"))
		assert.Equal(t, minute(5), got["warning/"].EndsAt)
		assert.True(t, got["critical/"].firing())
		got = history(t, "info", transition(1, alarm.StateAlarm, "severity", "warning"), transition(5, alarm.StateOK, "severity", "critical"))
		require.Len(t, got, 1)
		assert.False(t, got["warning/"].firing())
	})
	t.Run("deleted", func(t *testing.T) {
		got := history(t, "info", transition(1, alarm.StateAlarm), transition(2, alarm.StateInsufficientData), transition(5, ""))
		for _, k := range got {
			assert.Equal(t, minute(5), k.EndsAt)
		}
	})
	t.Run("clocks differ", func(t *testing.T) {
		a := transition(60, alarm.StateAlarm)
		got := change(a, nil, "info", start)
		assert.Equal(t, start, got[0].StartsAt)
		end := transition(-60, alarm.StateOK)
		assert.Equal(t, start, change(end, got, "info", start)[0].EndsAt)
	})
}

func TestLoad(t *testing.T) {
	type m = map[string]any
	c, err := Load(m{"receivers": []any{m{"name": "a", "webhook_configs": []any{m{"url": "http://x"}, m{"url": "http://y", "send_resolved": false}}}}})
	require.NoError(t, err)
	assert.False(t, c.HasRoute)
	assert.False(t, c.HasMail())
	assert.True(t, c.HasReceiver("a"))
	assert.False(t, c.HasReceiver("b"))
	assert.Equal(t, map[string]bool{"a/webhook[1]": true}, c.saysResolved)
	c, err = Load(m{"route": m{"receiver": "a"}, "receivers": []any{m{"name": "a"}}, "global": m{"smtp_smarthost": "h:25", "smtp_from": "a@b.c"}})
	require.NoError(t, err)
	assert.True(t, c.HasRoute)
	assert.True(t, c.HasMail())
	for text, keys := range map[string]m{
		`"receivers" must be a list`: {"receivers": "a"},
		"undefined receiver":         {"route": m{"receiver": "a"}},
		"not found in type":          {"nope": 1},
	} {
		_, err := Load(keys)
		require.ErrorContains(t, err, text)
	}
}

type notifier func(context.Context) (bool, error)

func (f notifier) Notify(ctx context.Context, _ ...*alert.Alert) (bool, error) { return f(ctx) }

func (notifier) SendResolved() bool { return true }

func TestBounded(t *testing.T) {
	release := make(chan struct{})
	ended := make(chan struct{}, maxUnfinished)
	stuck := notifier(func(context.Context) (bool, error) {
		<-release
		ended <- struct{}{}
		return false, nil
	})
	n := notify.NewIntegration(stuck, stuck, "email", 0, "r")
	b := newBounded(&n, func(name string, delivered, again bool) {
		assert.Equal(t, "email", name)
		assert.False(t, delivered)
		assert.True(t, again)
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range maxUnfinished {
		again, err := b.Notify(ctx)
		assert.True(t, again)
		require.ErrorIs(t, err, context.Canceled)
	}
	close(release)
	for range len(b.slots) {
		<-ended
	}
	broken := notifier(func(context.Context) (bool, error) { panic("oh") })
	n = notify.NewIntegration(broken, broken, "x", 0, "r")
	again, err := newBounded(&n, func(string, bool, bool) {}).Notify(t.Context())
	assert.False(t, again)
	require.ErrorContains(t, err, "internal error: oh")
	fails := errors.New("no")
	failing := notifier(func(context.Context) (bool, error) { return true, fails })
	n = notify.NewIntegration(failing, failing, "x", 0, "r")
	again, err = newBounded(&n, func(string, bool, bool) {}).Notify(t.Context())
	assert.True(t, again)
	require.ErrorIs(t, err, fails)
}
