// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/queue"
	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/topics"
	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/pkg/sns"
)

// The kinds of deliveries beside those of subscribers and of AWS.
const (
	// kindAlert gives the tree of routes a transition.
	kindAlert = "alert"
	// kindTopic publishes to a topic that is held here.
	kindTopic = "topic"
	// kindReceiver tells one integration of a receiver.
	kindReceiver = "receiver"
	// kindUnknown is an action that nothing delivers.
	kindUnknown = "unknown"
)

// part is the body of an item that belongs to an action.
type part struct {
	Receiver    string         `json:"receiver,omitempty"`
	Integration string         `json:"integration,omitempty"`
	Action      actions.Action `json:"action"`
}

// errNotRunning is the answer before Start and after Shutdown.
var errNotRunning = errors.New("the notifications extension does not run")

// Dispatch implements actions.Dispatcher.
func (e *notifications) Dispatch(ctx context.Context, list []actions.Action) error {
	run := e.running.Load()
	if run == nil {
		return errNotRunning
	}
	var all []*accepted
	known := false
	seen := make(map[string]bool, len(list))
	for i := range list {
		a := &list[i]
		if a.ID == "" {
			return fmt.Errorf("an action of %s has no ID", a.AlarmARN)
		}
		if seen[a.ID] || run.queue.Known(a.ID) {
			known = true
			continue
		}
		seen[a.ID] = true
		parts, err := run.parts(a)
		if err != nil {
			return err
		}
		all = append(all, &accepted{a.ID, parts})
	}
	if known && len(all) == 0 {
		return run.queue.Settle() // it may have been accepted only a moment ago
	}
	err := run.enqueue(all)
	if errors.Is(err, queue.ErrFull) && len(all) > 1 {
		// What does not fit at once may fit one after another: those that do are known when the rest comes again.
		for len(all) > 0 {
			if err = run.enqueue(all[:1]); err != nil {
				break
			}
			all = all[1:]
		}
	}
	if err != nil {
		e.refused(ctx, err, len(all))
	}
	return err
}

// accepted is an action with its deliveries.
type accepted struct {
	id    string
	parts []*queue.Item
}

func (r *run) enqueue(list []*accepted) error {
	var items []*queue.Item
	ids := make([]string, len(list))
	for i, a := range list {
		items, ids[i] = append(items, a.parts...), a.id
	}
	return r.queue.Enqueue(items, ids, nil)
}

// OnResult implements actions.Dispatcher.
func (e *notifications) OnResult(f func(context.Context, []actions.Result) error) {
	run := e.running.Load()
	if run == nil {
		return
	}
	run.queue.OnResult(func(ctx context.Context, list []*queue.Result) error {
		out := make([]actions.Result, len(list))
		for i, r := range list {
			out[i] = actions.Result{
				ActionID: r.Action, AlarmARN: r.AlarmARN, Target: r.ARN, Time: r.Time, Message: r.Message, Withheld: r.Withheld,
			}
			if len(r.Failed) > 0 {
				out[i].Err = errors.New(strings.Join(r.Failed, "; "))
			}
		}
		return f(ctx, out)
	})
}

// parts are the deliveries of an action.
func (r *run) parts(a *actions.Action) ([]*queue.Item, error) {
	var items []*queue.Item
	add := func(kind, target string, p part) error {
		p.Action = *a
		body, err := json.Marshal(&p)
		if err != nil {
			return fmt.Errorf("encode an action of %s: %w", a.AlarmARN, err)
		}
		// Ids that grow keep the order of what was enqueued in the same moment.
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		now := r.now()
		items = append(items, &queue.Item{
			ID: id.String(), Kind: kind, Target: target, Enqueued: now, Next: now, Body: body,
			// Of one alarm, a target is told in the order of its states.
			Lane:   target + "\n" + a.AlarmARN + "\n" + a.Labels["alarm_contributor"],
			Action: a.ID, AlarmARN: a.AlarmARN, ARN: a.Target,
		})
		return nil
	}
	if a.Target == "" {
		err := add(kindAlert, "alertmanager", part{})
		return items, err
	}
	routes := r.routes[a.Target]
	forwarded := len(routes) == 0
	for _, route := range routes {
		forwarded = forwarded || route.Forward
		integrations := r.receivers.Integrations(route.Receiver)
		if len(integrations) == 0 {
			integrations = []string{""} // it is told of nothing
		}
		for _, integration := range integrations {
			err := add(kindReceiver, "receiver "+route.Receiver+" "+integration, part{Receiver: route.Receiver, Integration: integration})
			if err != nil {
				return nil, err
			}
		}
	}
	switch {
	case r.topics.Has(a.Target):
		err := add(kindTopic, a.Target, part{})
		return items, err
	case forwarded && r.forward != nil && r.forward.Kind(a.Target) != "":
		err := add(r.forward.Kind(a.Target), a.Target, part{})
		return items, err
	case len(items) == 0:
		err := add(kindUnknown, a.Target, part{})
		return items, err
	}
	return items, nil
}

// deliver tries one delivery.
func (r *run) deliver(ctx context.Context, it *queue.Item) queue.Outcome {
	if it.Kind == topics.KindHTTP || it.Kind == topics.KindEmail {
		return r.topics.Deliver(ctx, it)
	}
	var p part
	if err := json.Unmarshal(it.Body, &p); err != nil {
		return queue.Outcome{Err: fmt.Errorf("decode a delivery: %w", err), Permanent: true}
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	switch it.Kind {
	case kindAlert:
		return r.deliverAlert(&p.Action)
	case kindTopic:
		return r.publish(&p.Action)
	case kindReceiver:
		return r.notify(ctx, &p)
	case kindUnknown:
		return queue.Outcome{Permanent: true, Err: unknownTarget(p.Action.Target)}
	default:
		if r.forward == nil {
			return queue.Outcome{Permanent: true, Err: fmt.Errorf("%s: actions are not forwarded to AWS any more", p.Action.Target)}
		}
		message, permanent, err := r.forward.Deliver(ctx, &p.Action)
		return queue.Outcome{Message: message, Permanent: permanent, Err: err}
	}
}

// unknownTarget is the error of an action that nothing delivers.
func unknownTarget(arn string) error {
	service := "service"
	if parts := strings.SplitN(arn, ":", 4); len(parts) == 4 && parts[2] == "sns" {
		service = "topic"
	}
	return fmt.Errorf("no %s, route or forwarding of the notifications extension delivers to %s", service, arn)
}

func (r *run) deliverAlert(a *actions.Action) queue.Outcome {
	if r.receivers == nil || !r.hasRoute {
		return queue.Outcome{Withheld: "no route"}
	}
	also, err := r.receivers.Take(a)
	return queue.Outcome{Err: err, Permanent: true, Also: also}
}

// publish publishes to a topic: the action has succeeded when its subscribers' deliveries are in the queue.
func (r *run) publish(a *actions.Action) queue.Outcome {
	texts := map[string]string{"default": a.Message}
	if a.SMS != "" {
		texts["sms"] = a.SMS
	}
	if a.Email != "" {
		texts["email"] = a.Email
	}
	var subject *string
	if a.Subject != "" {
		subject = &a.Subject
	}
	_, items, err := r.topics.Publish(a.Target, sns.Structured(texts, subject))
	if err != nil {
		return queue.Outcome{Err: fmt.Errorf("publish to %s: %w", a.Target, err), Permanent: true}
	}
	return queue.Outcome{Message: a.Message, Add: items}
}

func (r *run) notify(ctx context.Context, p *part) queue.Outcome {
	if r.receivers == nil {
		return queue.Outcome{Err: fmt.Errorf("receiver %q is not configured any more", p.Receiver), Permanent: true}
	}
	if p.Integration == "" {
		return queue.Outcome{Withheld: "the receiver has no integrations"}
	}
	withheld, again, err := r.receivers.Notify(ctx, p.Receiver, p.Integration, &p.Action)
	if err != nil {
		return queue.Outcome{Err: fmt.Errorf("receiver %q: %w", p.Receiver, err), Permanent: !again}
	}
	message := p.Action.Message
	if withheld != "" {
		message = ""
	}
	return queue.Outcome{Withheld: withheld, Message: message}
}
