// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/common/model"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// Why nothing is sent, on purpose.
const (
	withheldSilenced   = "silenced"
	withheldInhibited  = "inhibited"
	withheldUnresolved = "send_resolved is false"
)

// Take gives the tree of routes what an action says of its alarm. The change makes that durable.
func (m *Manager) Take(a *actions.Action) (func(*records.Change), error) {
	now := m.set.Now()
	have := m.book.of(a.AlarmARN + "\n" + a.Labels[labelContributor])
	if a.New == "" { // the alarm was deleted, with all of its contributors
		have = m.book.filter(func(k *kept) bool { return strings.HasPrefix(k.Alarm, a.AlarmARN+"\n") })
	}
	list := change(a, have, m.set.NoDataSeverity, now)
	if len(list) == 0 {
		return nil, nil //nolint:nilnil // nothing changes
	}
	if err := m.put(list); err != nil {
		return nil, err
	}
	return m.book.take(list)
}

// Notify tells one integration of a receiver of an action, without grouping. again is whether another attempt makes sense
// after an error.
func (m *Manager) Notify(ctx context.Context, receiver, name string, a *actions.Action) (withheld string, again bool, err error) {
	n := m.integration(receiver, name)
	if n == nil {
		return "", false, fmt.Errorf("the configuration has no integration %s of a receiver %q any more", name, receiver)
	}
	labels := labelsOf(a)
	now := m.set.Now()
	at := a.Time
	if at.After(now) {
		at = now
	}
	one := &alert.Alert{
		Alert:     model.Alert{Labels: labels, Annotations: annotationsOf(a), StartsAt: at},
		UpdatedAt: now,
	}
	resolved := false
	switch a.New {
	case alarm.StateAlarm:
	case alarm.StateInsufficientData:
		severity := m.set.NoDataSeverity
		if severity == SeverityOff {
			severity = fallbackSeverity // the alarm's list of actions asks for it
		}
		one.Labels = withoutData(labels, severity)
	default:
		resolved = true
		one.EndsAt = at
		// What the alarm's list of actions asks for is told, unless the integration's own configuration rules it out.
		if !n.SendResolved() && m.set.Config.saysResolved[receiver+"/"+name] {
			return withheldUnresolved, false, nil
		}
	}
	if !resolved {
		switch {
		case m.silencer.Mutes(ctx, one.Labels):
			return withheldSilenced, false, nil
		case m.inhibitor.Mutes(ctx, one.Labels):
			return withheldInhibited, false, nil
		}
	}
	if err := one.Validate(); err != nil {
		return "", false, fmt.Errorf("alert of %s: %w", a.AlarmARN, err)
	}
	return m.send(ctx, n, receiver, one, resolved)
}

// send notifies as the end of Alertmanager's pipeline does.
func (m *Manager) send(
	ctx context.Context, n *notify.Integration, receiver string, one *alert.Alert, resolved bool,
) (withheld string, again bool, err error) {
	groupKey := fmt.Sprintf("nephoscope/%s:{%s=%q, %s=%q}", receiver,
		labelAlarmARN, one.Labels[labelAlarmARN], labelContributor, one.Labels[labelContributor])
	recv := &nflogpb.Receiver{GroupName: receiver, Integration: n.Name(), Idx: uint32(n.Index())}
	entries, err := m.log.Query(nflog.QGroupKey(groupKey), nflog.QReceiver(recv))
	if err != nil && !errors.Is(err, nflog.ErrNotFound) {
		return "", true, err
	}
	var entry *nflogpb.Entry
	if len(entries) > 0 {
		entry = entries[0]
	}
	hash := []uint64{uint64(one.Fingerprint())}
	var firing, ended []uint64
	reason := notify.ReasonFirstNotification
	if resolved {
		ended, reason = hash, notify.ReasonAllAlertsResolved
	} else {
		firing = hash
	}
	state := nflog.NewStore(entry)
	if reason == notify.ReasonFirstNotification {
		state = nflog.NewStore(nil)
	}
	ctx = notify.WithReceiverName(ctx, receiver)
	ctx = notify.WithGroupKey(ctx, groupKey)
	ctx = notify.WithGroupLabels(ctx, model.LabelSet{labelName: one.Labels[labelName]})
	ctx = notify.WithRouteLabels(ctx, model.LabelSet{})
	ctx = notify.WithNow(ctx, time.Now())
	ctx = notify.WithRepeatInterval(ctx, retention)
	ctx = notify.WithFiringAlerts(ctx, firing)
	ctx = notify.WithResolvedAlerts(ctx, ended)
	ctx = notify.WithNotificationReason(ctx, reason)
	ctx = notify.WithNflogStore(ctx, state)
	if again, err = n.Notify(ctx, one); err != nil {
		return "", again || rateLimited(err), fmt.Errorf("%s: %w", n, err)
	}
	if err := m.log.Log(recv, groupKey, firing, ended, state, 0); err != nil {
		m.set.Logger.Warn("notification not logged", "receiver", receiver, "err", err)
	}
	return "", false, nil
}

// rateLimited is whether a receiver was told too much at once. Some notifiers give up then, because a group is told again
// before long; an action is not.
func rateLimited(err error) bool {
	var reason *notify.ErrorWithReason
	return errors.As(err, &reason) && reason.Reason == notify.RateLimitedReason
}
