// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapireceiver

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/nephoscope/nephoscope/receiver/awsapireceiver/internal/metadata"
)

func TestConfig(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.New().Unmarshal(cfg))
	assert.Equal(t, component.MustNewID("aws_api"), cfg.Extension)
	require.NoError(t, cfg.Validate())

	require.NoError(t, confmap.NewFromStringMap(map[string]any{"extension": "aws_api/other"}).Unmarshal(cfg))
	assert.Equal(t, component.MustNewIDWithName("aws_api", "other"), cfg.Extension)

	require.ErrorContains(t, (&Config{}).Validate(), `"extension" is required`)
}

// TestSignals checks that what the extension hands over comes out of the receiver, until it is shut down.
func TestSignals(t *testing.T) {
	f, set, cfg := NewFactory(), receivertest.NewNopSettings(metadata.Type), createDefaultConfig()
	ext := &testExtension{}
	host := testHost{component.NewID(metadata.Type): ext}
	var logsSink consumertest.LogsSink
	var metricsSink consumertest.MetricsSink
	var tracesSink consumertest.TracesSink

	l, err := f.CreateLogs(t.Context(), set, cfg, &logsSink)
	require.NoError(t, err)
	m, err := f.CreateMetrics(t.Context(), set, cfg, &metricsSink)
	require.NoError(t, err)
	tr, err := f.CreateTraces(t.Context(), set, cfg, &tracesSink)
	require.NoError(t, err)
	all := []component.Component{l, m, tr}
	for _, r := range all {
		require.NoError(t, r.Shutdown(t.Context()), "before Start")
		require.NoError(t, r.Start(t.Context(), host))
	}

	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	require.NoError(t, ext.logs.ConsumeLogs(t.Context(), ld))
	md := pmetric.NewMetrics()
	md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	require.NoError(t, ext.metrics.ConsumeMetrics(t.Context(), md))
	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	require.NoError(t, ext.traces.ConsumeTraces(t.Context(), td))
	assert.Equal(t, 1, logsSink.LogRecordCount())
	assert.Equal(t, 1, metricsSink.DataPointCount())
	assert.Equal(t, 1, tracesSink.SpanCount())

	for _, r := range all {
		require.NoError(t, r.Shutdown(t.Context()))
		require.NoError(t, r.Shutdown(t.Context()), "twice")
	}
	assert.Equal(t, &testExtension{}, ext)
}

func TestErrorsGoBack(t *testing.T) {
	refused := errors.New("refused")
	ext := &testExtension{}
	r, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), createDefaultConfig(),
		consumertest.NewErr(refused))
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), testHost{component.NewID(metadata.Type): ext}))
	require.ErrorIs(t, ext.logs.ConsumeLogs(t.Context(), plog.NewLogs()), refused)
	require.NoError(t, r.Shutdown(t.Context()))
}

type otherExtension struct {
	component.StartFunc
	component.ShutdownFunc
}

func TestStartFails(t *testing.T) {
	id := component.NewID(metadata.Type)
	for name, c := range map[string]struct {
		host component.Host
		want string
	}{
		"no extension":      {componenttest.NewNopHost(), `extension "aws_api" not found: list it under service::extensions`},
		"another extension": {testHost{id: otherExtension{}}, "not an extension of type aws_api"},
		"taken":             {testHost{id: &testExtension{logs: consumertest.NewNop()}}, errTaken.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), createDefaultConfig(),
				consumertest.NewNop())
			require.NoError(t, err)
			require.ErrorContains(t, r.Start(t.Context(), c.host), c.want)
			require.NoError(t, r.Shutdown(t.Context()))
		})
	}
}
