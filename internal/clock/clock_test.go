// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package clock_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/internal/clock"
	"github.com/nephoscope/nephoscope/internal/clock/clocktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

type other struct{ component.Component }

func TestOfHost(t *testing.T) {
	before := time.Now()
	now := clock.Of(componenttest.NewNopHost())()
	assert.False(t, now.Before(before))
	assert.False(t, now.After(time.Now()))
	_, ok := clock.Find(componenttest.NewNopHost())
	assert.False(t, ok)

	manual := clocktest.New(time.Unix(1000, 0))
	factory := manual.NewFactory()
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig())
	require.NoError(t, err)
	h := host{component.MustNewID("some"): other{}, component.NewID(factory.Type()): ext}
	require.NoError(t, ext.Start(t.Context(), h))
	manual.Add(time.Minute)
	assert.Equal(t, time.Unix(1060, 0), clock.Of(h)())
	found, ok := clock.Find(h)
	require.True(t, ok)
	assert.Same(t, manual, found)
	require.NoError(t, ext.Shutdown(t.Context()))
}
