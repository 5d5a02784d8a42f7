// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"

	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// The labels that alerts have of their own, where the action does not have them.
const (
	labelName        = "alertname"
	labelAlarmARN    = "alarm_arn"
	labelAccount     = "account"
	labelRegion      = "region"
	labelSeverity    = "severity"
	labelContributor = "alarm_contributor"
	// labelState is on the alert that says that an alarm has no data.
	labelState = "alarm_state"
)

// SeverityOff sends no alert for an alarm without data.
const SeverityOff = "off"

const fallbackSeverity = "error"

// labelsOf are the labels of an action's alert.
func labelsOf(a *actions.Action) model.LabelSet {
	l := model.LabelSet{
		labelName: model.LabelValue(a.AlarmName), labelAlarmARN: model.LabelValue(a.AlarmARN),
		labelAccount: model.LabelValue(a.Tenant.Account), labelRegion: model.LabelValue(a.Tenant.Region),
		labelSeverity: fallbackSeverity,
	}
	for k, v := range a.Labels {
		l[model.LabelName(k)] = model.LabelValue(v)
	}
	for k, v := range l {
		if v == "" {
			delete(l, k) // a label without a value is none
		}
	}
	return l
}

func annotationsOf(a *actions.Action) model.LabelSet {
	out := model.LabelSet{}
	if a.Reason != "" {
		out["reason"] = model.LabelValue(a.Reason)
	}
	for k, v := range a.Annotations {
		if v != "" {
			out[model.LabelName(k)] = model.LabelValue(v)
		}
	}
	return out
}

// withoutData are the labels of the alert that says that an alarm has no data.
func withoutData(l model.LabelSet, severity string) model.LabelSet {
	l = l.Clone()
	l[labelState] = model.LabelValue(alarm.StateInsufficientData)
	l[labelSeverity] = model.LabelValue(severity)
	return l
}

// kept is an alert as it is kept.
type kept struct {
	// Alarm is the alarm and its contributor.
	Alarm       string         `json:"alarm"`
	NoData      bool           `json:"noData,omitempty"`
	Labels      model.LabelSet `json:"labels"`
	Annotations model.LabelSet `json:"annotations"`
	StartsAt    time.Time      `json:"startsAt"`
	// EndsAt is zero as long as it fires.
	EndsAt    time.Time `json:"endsAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

func (k *kept) key() string { return k.Labels.Fingerprint().String() }

func (k *kept) firing() bool { return k.EndsAt.IsZero() }

func (k *kept) alert() *alert.Alert {
	return &alert.Alert{
		Alert:     model.Alert{Labels: k.Labels, Annotations: k.Annotations, StartsAt: k.StartsAt, EndsAt: k.EndsAt},
		UpdatedAt: k.UpdatedAt,
	}
}

// ended is the alert, ended at t.
func (k *kept) ended(t, now time.Time) *kept {
	out := *k
	out.EndsAt, out.UpdatedAt = later(t, k.StartsAt), now
	return &out
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// change is what an action changes in the alerts of its alarm.
func change(a *actions.Action, have []*kept, noDataSeverity string, now time.Time) []*kept {
	at := a.Time
	if at.After(now) {
		at = now // what ends in the future would not have ended
	}
	labels := labelsOf(a)
	alarmKey := a.AlarmARN + "\n" + string(labels[labelContributor])
	var out []*kept
	fire := func(l model.LabelSet, noData bool) {
		k := &kept{
			Alarm: alarmKey, NoData: noData, Labels: l, Annotations: annotationsOf(a), StartsAt: at, UpdatedAt: now,
		}
		for _, old := range have {
			if old.firing() && old.NoData == noData {
				if old.key() == k.key() {
					k.StartsAt = old.StartsAt
				} else {
					out = append(out, old.ended(at, now)) // its labels have changed
				}
			}
		}
		out = append(out, k)
	}
	end := func(noData bool) {
		for _, old := range have {
			if old.firing() && old.NoData == noData {
				e := old.ended(at, now)
				if !noData && len(a.Annotations) > 0 {
					e.Annotations = annotationsOf(a)
				}
				out = append(out, e)
			}
		}
	}
	switch a.New {
	case alarm.StateAlarm:
		end(true)
		fire(labels, false)
	case alarm.StateInsufficientData:
		if noDataSeverity != SeverityOff {
			fire(withoutData(labels, noDataSeverity), true)
		}
	default: // it is OK, or the alarm was deleted
		end(true)
		end(false)
	}
	return out
}
