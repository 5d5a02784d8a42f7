// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmreceiver

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/nephoscope/nephoscope/receiver/alarmreceiver/internal/metadata"
)

func TestConfig(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.New().Unmarshal(cfg))
	assert.Equal(t, component.MustNewID("alarm"), cfg.Alarm)
	require.NoError(t, cfg.Validate())
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"alarm": "alarm/other"}).Unmarshal(cfg))
	assert.Equal(t, component.MustNewIDWithName("alarm", "other"), cfg.Alarm)
	require.ErrorContains(t, (&Config{}).Validate(), `"alarm" is required`)
}

func event() plog.Logs {
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("{}")
	return ld
}

// TestEvents checks that what the extension hands over comes out of the receiver, until it is shut down.
func TestEvents(t *testing.T) {
	s := &testSource{}
	host := testHost{component.NewID(metadata.Type): s}
	var sink consumertest.LogsSink
	r, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), createDefaultConfig(), &sink)
	require.NoError(t, err)
	require.NoError(t, r.Shutdown(t.Context()), "before Start")
	require.NoError(t, r.Start(t.Context(), host))

	other, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), createDefaultConfig(), &sink)
	require.NoError(t, err)
	require.ErrorIs(t, other.Start(t.Context(), host), errTaken)

	require.NoError(t, s.taker.ConsumeLogs(t.Context(), event()))
	assert.Equal(t, 1, sink.LogRecordCount())
	assert.False(t, s.taker.Capabilities().MutatesData)
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()), "twice")
	assert.Nil(t, s.taker)
}

func TestErrorsGoBack(t *testing.T) {
	refused := errors.New("refused")
	s := &testSource{}
	r, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), createDefaultConfig(), consumertest.NewErr(refused))
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), testHost{component.NewID(metadata.Type): s}))
	require.ErrorIs(t, s.taker.ConsumeLogs(t.Context(), event()), refused)
	require.NoError(t, r.Shutdown(t.Context()))
}

func TestStartFails(t *testing.T) {
	r, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), createDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context(), testHost{}), `extension "alarm" not found`)
	other := testHost{component.MustNewID("alarm"): &struct {
		component.StartFunc
		component.ShutdownFunc
	}{}}
	require.ErrorContains(t, r.Start(t.Context(), other), "not an extension of type alarm")
}
