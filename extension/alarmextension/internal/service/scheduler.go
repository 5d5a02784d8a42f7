// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"time"

	"go.uber.org/zap"
)

const (
	// maxSleep bounds how long the scheduler sleeps, so that a clock that was set is noticed.
	maxSleep = 30 * time.Second
	// retryEvaluation is when it is tried again after what happened could not be kept.
	retryEvaluation = time.Second
)

// schedule evaluates alarms when they are due.
func (s *Service) schedule(ctx context.Context) {
	for {
		wait := maxSleep
		if next := s.engine.Next(); !next.IsZero() {
			wait = min(wait, max(0, next.Sub(s.Now())))
		}
		if wait > 0 && !s.sleep(ctx, wait) {
			return
		}
		if ctx.Err() != nil {
			return
		}
		if err := s.Advance(ctx); err != nil && !s.pause(ctx, retryEvaluation) {
			return
		}
	}
}

// sleep returns early when something happened. It is false when the context has ended.
func (s *Service) sleep(ctx context.Context, d time.Duration) bool {
	c, stop := s.set.Clock.After(d)
	defer stop()
	select {
	case <-ctx.Done():
		return false
	case <-s.wake:
	case <-c:
	}
	return true
}

// pause waits. It is false when the context has ended.
func (s *Service) pause(ctx context.Context, d time.Duration) bool {
	c, stop := s.set.Clock.After(d)
	defer stop()
	select {
	case <-ctx.Done():
		return false
	case <-c:
	}
	return true
}

// Advance evaluates what is due, and commits what came of it.
func (s *Service) Advance(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.settle(ctx); err != nil {
		return err
	}
	now, due := s.Now(), s.engine.Next()
	if due.IsZero() || due.After(now) {
		return nil
	}
	telemetry := s.set.Telemetry
	telemetry.ExtensionAlarmEvaluationLag.Record(ctx, now.Sub(due).Seconds())
	events := s.engine.Advance(ctx, now)
	telemetry.ExtensionAlarmEvaluationDuration.Record(ctx, s.Now().Sub(now).Seconds())
	s.stage(ctx, events)
	if len(events) > 0 {
		s.logger.Debug("alarms were evaluated", zap.Int("events", len(events)))
	}
	return s.flush(context.WithoutCancel(ctx))
}
