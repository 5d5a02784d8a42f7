// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/metadatatest"
	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

func TestTelemetry(t *testing.T) {
	tel := componenttest.NewTelemetry()
	hook := record(t)
	cfg := hookConfig(t, hook.URL)
	cfg.Storage = nil
	cfg.Queue.MaxItems = 2
	ext, err := NewFactory().Create(t.Context(), metadatatest.NewSettings(tel), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), host{}))
	e := ext.(*notifications)
	c := &collector{t: t, cfg: cfg, ext: e, results: make(chan actions.Result, 10)}
	list := []actions.Action{action("1", pagerTopic, "a", alarm.StateAlarm), action("2", pagerTopic, "b", alarm.StateAlarm), action("3", pagerTopic, "c", alarm.StateAlarm)}
	full := make(chan struct{})
	hook.answerBy(func(request) (int, string) {
		<-full
		hook.answer = func(request) (int, string) { return http.StatusOK, "" }
		return http.StatusInternalServerError, ""
	})
	require.Error(t, e.Dispatch(t.Context(), list))
	close(full)
	c.dispatch(list[0]) // is known
	for range 3 {
		next(t, hook.requests)
	}
	require.Eventually(t, func() bool {
		items, _ := e.running.Load().queue.Depth()
		return items == 0
	}, patience, 1e6)
	outcome := func(o string, n int64) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(attribute.String("target", "receiver"), attribute.String("outcome", o))}
	}
	metadatatest.AssertEqualExtensionNotificationsDeliveries(t, tel,
		[]metricdata.DataPoint[int64]{outcome("retried", 1), outcome("delivered", 2)}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualExtensionNotificationsQueueDepth(t, tel, []metricdata.DataPoint[int64]{{}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualExtensionNotificationsRefused(t, tel, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", "queue_full"))},
	}, metricdatatest.IgnoreTimestamp())
	assert.NoError(t, ext.Shutdown(t.Context()))
	require.NoError(t, tel.Shutdown(t.Context()))
}
