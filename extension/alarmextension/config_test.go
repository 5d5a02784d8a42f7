// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmextension

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/metadatatest"
	"github.com/nephoscope/nephoscope/internal/clock/clocktest"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

func TestConfig(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.New().Unmarshal(cfg))
	assert.Equal(t, createDefaultConfig(), cfg)
	assert.Equal(t, 720*time.Hour, cfg.HistoryRetention)
	require.ErrorContains(t, cfg.Validate(), `"storage" is required`)

	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	require.NoError(t, conf.Unmarshal(cfg))
	require.NoError(t, cfg.Validate())
	storeID, notificationID := component.MustNewID("store"), component.MustNewID("notification")
	assert.Equal(t, &Config{
		Storage: component.MustNewID("file_storage"), Store: &storeID, Notifications: &notificationID,
		Definitions:    []string{"alarms/*.yaml", "infra"},
		CloudFormation: CloudFormationConfig{StackName: "prod", Parameters: map[string]string{"Threshold": "5"}},
		Terraform:      TerraformConfig{Variables: map[string]string{"env": "prod"}, VariableFiles: []string{"prod.tfvars"}},
		DeployedValues: map[string]string{"aws_lb.web.arn_suffix": "app/web/1"},
		AccountID:      "123456789012", Region: "eu-west-1",
		Limits:           LimitsConfig{Alarms: 10, MuteRules: 20, HistoryItems: 30, HistoryItemsPerAlarm: 40, Undelivered: 50},
		HistoryRetention: 336 * time.Hour,
	}, cfg)

	for option, change := range map[string]func(*Config){
		`"account_id" must be 12 digits`:                  func(c *Config) { c.AccountID = "1" },
		`"region" must be an AWS region`:                  func(c *Config) { c.Region = "here" },
		`"definitions::0" must be a file`:                 func(c *Config) { c.Definitions = []string{""} },
		`"definitions::1": "[" is no pattern`:             func(c *Config) { c.Definitions = []string{"a", "["} },
		`"limits::alarms" must be at least 1, got 0`:      func(c *Config) { c.Limits.Alarms = 0 },
		`"limits::mute_rules" must be at least 1`:         func(c *Config) { c.Limits.MuteRules = -1 },
		`"limits::history_items" must be at least 1`:      func(c *Config) { c.Limits.HistoryItems = 0 },
		`"limits::history_items_per_alarm" must be at`:    func(c *Config) { c.Limits.HistoryItemsPerAlarm = 0 },
		`"limits::undelivered" must be at least 1, got 0`: func(c *Config) { c.Limits.Undelivered = 0 },
		`"history_retention" must be at least 1m, got 1s`: func(c *Config) { c.HistoryRetention = time.Second },
	} {
		bad := *cfg
		change(&bad)
		require.ErrorContains(t, bad.Validate(), option)
	}
}

func TestStartFails(t *testing.T) {
	id := component.MustNewID("other")
	other := &struct {
		component.StartFunc
		component.ShutdownFunc
	}{}
	for want, change := range map[string]func(*harness){
		`extension "other" not found: list it`: func(h *harness) { h.cfg.Storage = id },
		"not a storage extension":              func(h *harness) { h.cfg.Storage, h.host[id] = id, other },
		"not a store":                          func(h *harness) { h.cfg.Store, h.host[id] = &id, other },
		"which delivers no actions":            func(h *harness) { h.cfg.Notifications, h.host[id] = &id, other },
		`read head: invalid character`:         func(h *harness) { h.storage.values["head"] = []byte("x") },
		"written by another release":           func(h *harness) { h.storage.values["head"] = []byte(`{"Version":9}`) },
		"read row/0": func(h *harness) {
			h.storage.values["head"] = []byte(`{"Version":1,"Rows":1}`)
			h.storage.values["row/0"] = []byte("x")
		},
		"read entry/0: not an entry": func(h *harness) {
			h.storage.values["head"] = []byte(`{"Version":1,"Entries":1}`)
			h.storage.values["entry/0"] = []byte("x")
		},
	} {
		h := newHarness(t)
		require.ErrorContains(t, h.tryStart(func() { change(h) }), want)
	}
	h := newHarness(t)
	assert.Equal(t, []component.ID{testStorageID, notifyID}, (&alarms{cfg: h.cfg}).Dependencies())
}

func TestNotRunning(t *testing.T) {
	x, err := newExtension(settings(), newHarness(t).cfg, clocktest.New(start))
	require.NoError(t, err)
	require.NoError(t, x.Ready())
	assert.False(t, x.Watches("a", "b"))
	x.Observe(tenant, nil)
	_, there := x.Alarm(tenant, "a")
	assert.False(t, there)
	_, err = x.RegisterEvents(consumertest.NewNop())
	require.ErrorIs(t, err, errNotRunning)

	h := newHarness(t).start()
	h.put("a")
	view, there := h.x.Alarm(tenant, "a")
	assert.True(t, there)
	assert.Equal(t, prefix+"a", view.ARN)
	s := h.x.service.Swap(nil)
	defer h.x.service.Store(s)
	_, err = h.api.DescribeAlarms(t.Context(), &cw.DescribeAlarmsInput{})
	requireCode(t, err, "ServiceUnavailable", "The alarm extension is not running.")
	_, err = x.ListTags(awswire.WithRequest(t.Context(), &awswire.Request{}), prefix+"a")
	require.Error(t, err)
	require.NoError(t, x.Shutdown(context.Background()))
}

func TestTelemetry(t *testing.T) {
	reader := componenttest.NewTelemetry()
	h := newHarness(t)
	h.telemetry = reader
	h.receives = true
	h.start()
	h.put("a")
	h.put("b")
	h.setState("a", types.StateValueAlarm)
	state := func(s string, n int64) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(attribute.String("state", s))}
	}
	metadatatest.AssertEqualExtensionAlarmAlarms(t, reader, []metricdata.DataPoint[int64]{
		state("ALARM", 1), state("INSUFFICIENT_DATA", 1), state("OK", 0),
	}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualExtensionAlarmTransitions(t, reader, []metricdata.DataPoint[int64]{state("ALARM", 1)}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualExtensionAlarmUndelivered(t, reader, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("sink", "actions"))},
		{Value: 3, Attributes: attribute.NewSet(attribute.String("sink", "events"))},
	}, metricdatatest.IgnoreTimestamp())
	h.deliver()
	metadatatest.AssertEqualExtensionAlarmActionResults(t, reader, []metricdata.DataPoint[int64]{
		{Value: 2, Attributes: attribute.NewSet(attribute.String("outcome", "succeeded"))},
	}, metricdatatest.IgnoreTimestamp())
	h.storage.refuse(true)
	_, err := h.api.PutMetricAlarm(t.Context(), put("c"))
	require.Error(t, err)
	metadatatest.AssertEqualExtensionAlarmCommitFailures(t, reader, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
	h.storage.refuse(false)
	h.advance(time.Minute, time.Minute)
	_, err = reader.GetMetric("otelcol_extension_alarm_evaluation_lag")
	require.NoError(t, err)
	h.stop()
	require.NoError(t, reader.Shutdown(context.Background()))
}
