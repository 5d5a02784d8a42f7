// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/queue"
)

func (e *notifications) observeAttempt(kind, outcome string, took time.Duration) {
	ctx := context.Background()
	target := attribute.String("target", kind)
	e.telemetry.ExtensionNotificationsDeliveries.Add(ctx, 1, metric.WithAttributes(target, attribute.String("outcome", outcome)))
	e.telemetry.ExtensionNotificationsDeliveryDuration.Record(ctx, took.Seconds(), metric.WithAttributes(target))
}

func (e *notifications) observeGroup(integration string, delivered, again bool) {
	outcome := queue.OutcomeDead
	switch {
	case delivered:
		outcome = queue.OutcomeDelivered
	case again:
		outcome = queue.OutcomeRetried
	}
	e.telemetry.ExtensionNotificationsGroupNotifications.Add(context.Background(), 1,
		metric.WithAttributes(attribute.String("integration", integration), attribute.String("outcome", outcome)))
}

func (e *notifications) deadLetterFailed() {
	e.telemetry.ExtensionNotificationsDeadLettersFailed.Add(context.Background(), 1)
}

func (e *notifications) refused(ctx context.Context, err error, items int) {
	reason := "storage"
	if errors.Is(err, queue.ErrFull) {
		reason = "queue_full"
	}
	e.telemetry.ExtensionNotificationsRefused.Add(ctx, int64(items),
		metric.WithAttributes(attribute.String("reason", reason)))
}

// observeQueue has the depth of the queue measured.
func (e *notifications) observeQueue(q *queue.Queue) error {
	return errors.Join(
		e.telemetry.RegisterExtensionNotificationsQueueDepthCallback(func(_ context.Context, o metric.Int64Observer) error {
			items, _ := q.Depth()
			o.Observe(int64(items))
			return nil
		}),
		e.telemetry.RegisterExtensionNotificationsQueueSizeCallback(func(_ context.Context, o metric.Int64Observer) error {
			_, size := q.Depth()
			o.Observe(size)
			return nil
		}),
	)
}
