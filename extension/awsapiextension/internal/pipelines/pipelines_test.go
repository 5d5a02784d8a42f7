// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package pipelines

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type seen struct {
	signal  Signal
	outcome Outcome
	items   int
}

func testRegistry() (*Registry, *[]seen) {
	var list []seen
	return NewRegistry(func(_ context.Context, s Signal, o Outcome, n int) { list = append(list, seen{s, o, n}) }), &list
}

func oneLog() plog.Logs {
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	return ld
}

func oneMetric() pmetric.Metrics {
	md := pmetric.NewMetrics()
	md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	return md
}

func oneSpan() ptrace.Traces {
	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	return td
}

func TestRegistry(t *testing.T) {
	r, got := testRegistry()
	var none *NoPipelineError
	require.ErrorAs(t, r.ConsumeLogs(t.Context(), oneLog()), &none)
	assert.Equal(t, "nothing takes logs: add the receiver aws_api to a logs pipeline of the collector", none.Error())

	endLogs, err := r.RegisterLogs(consumertest.NewNop())
	require.NoError(t, err)
	endMetrics, err := r.RegisterMetrics(consumertest.NewErr(errors.New("later")))
	require.NoError(t, err)
	endTraces, err := r.RegisterTraces(consumertest.NewErr(consumererror.NewPermanent(errors.New("never"))))
	require.NoError(t, err)
	_, err = r.RegisterLogs(consumertest.NewNop())
	require.ErrorContains(t, err, "another aws_api receiver takes logs")

	require.NoError(t, r.ConsumeLogs(t.Context(), oneLog()))
	require.Error(t, r.ConsumeMetrics(t.Context(), oneMetric()))
	require.Error(t, r.ConsumeTraces(t.Context(), oneSpan()))
	assert.Equal(t, []seen{
		{SignalLogs, OutcomeNoPipeline, 1},
		{SignalLogs, OutcomeAccepted, 1},
		{SignalMetrics, OutcomeRefusedRetryable, 1},
		{SignalTraces, OutcomeRefusedPermanent, 1},
	}, *got)

	for _, end := range []Unregister{endLogs, endMetrics, endTraces} {
		require.NoError(t, end(t.Context()))
		require.NoError(t, end(t.Context()), "twice")
	}
	require.ErrorAs(t, r.ConsumeMetrics(t.Context(), oneMetric()), &none)

	again, err := r.RegisterLogs(consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, endLogs(t.Context()), "an old registration does not end a new one")
	require.NoError(t, r.ConsumeLogs(t.Context(), oneLog()))
	require.NoError(t, again(t.Context()))
}

// TestUnregisterWaits checks that no write is under way once a receiver has unregistered.
func TestUnregisterWaits(t *testing.T) {
	r, _ := testRegistry()
	entered, leave := make(chan struct{}), make(chan struct{})
	c, err := consumer.NewLogs(func(context.Context, plog.Logs) error {
		close(entered)
		<-leave
		return nil
	})
	require.NoError(t, err)
	end, err := r.RegisterLogs(c)
	require.NoError(t, err)
	written := make(chan error)
	go func() { written <- r.ConsumeLogs(context.Background(), oneLog()) }()
	<-entered

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, end(ctx), context.Canceled, "the write is under way")
	require.Error(t, r.ConsumeLogs(t.Context(), oneLog()), "and no other begins")
	close(leave)
	require.NoError(t, <-written)
	require.NoError(t, end(t.Context()))
}

func TestAWSError(t *testing.T) {
	require.NoError(t, AWSError(nil))
	own := &awswire.Error{Code: "ValidationException"}
	for name, c := range map[string]struct {
		err    error
		code   string
		status int
	}{
		"no pipeline":       {&NoPipelineError{SignalLogs}, "ServiceUnavailable", http.StatusServiceUnavailable},
		"store unavailable": {fmt.Errorf("write: %w", store.ErrUnavailable), "ServiceUnavailable", http.StatusServiceUnavailable},
		"passes":            {errors.New("memory"), "ThrottlingException", 0},
		"permanent":         {consumererror.NewPermanent(errors.New("x")), "InternalFailure", http.StatusInternalServerError},
		"AWS's own":         {fmt.Errorf("wrapped: %w", own), "ValidationException", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var e *awswire.Error
			require.ErrorAs(t, AWSError(c.err), &e)
			assert.Equal(t, c.code, e.Code)
			assert.Equal(t, c.status, e.Status)
		})
	}
}
