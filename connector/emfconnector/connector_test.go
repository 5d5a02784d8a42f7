// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emfconnector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/nephoscope/nephoscope/connector/emfconnector/internal/metadata"
	"github.com/nephoscope/nephoscope/connector/emfconnector/internal/metadatatest"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

var testTime = time.UnixMilli(1735689601000)

const validDocument = `{"_aws":{"Timestamp":1735689600123,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d"]],` +
	`"Metrics":[{"Name":"m","Unit":"Count"}]}]},"d":"x","m":1}`

func newTestConnector(t *testing.T, cfg *Config, next consumer.Metrics) (*emfConnector, *componenttest.Telemetry) {
	t.Helper()
	tel := componenttest.NewTelemetry()
	set := connectortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	c, err := newConnector(set, cfg, next)
	require.NoError(t, err)
	c.now = func() time.Time { return testTime }
	require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		ctx := context.Background()
		assert.NoError(t, c.Shutdown(ctx))
		assert.NoError(t, tel.Shutdown(ctx))
	})
	return c, tel
}

func addResource(ld plog.Logs, account, region, group string) plog.LogRecordSlice {
	rl := ld.ResourceLogs().AppendEmpty()
	attrs := rl.Resource().Attributes()
	if account != "" {
		attrs.PutStr(cloudwatchlogs.AttributeAccount, account)
	}
	if region != "" {
		attrs.PutStr(cloudwatchlogs.AttributeRegion, region)
	}
	if group != "" {
		attrs.PutEmptySlice(cloudwatchlogs.AttributeGroupNames).AppendEmpty().SetStr(group)
	}
	return rl.ScopeLogs().AppendEmpty().LogRecords()
}

// describe lists what was emitted as "account region ns/name{dims} value".
func describe(t *testing.T, all []pmetric.Metrics) []string {
	t.Helper()
	c, err := cloudwatch.NewConverter(cloudwatch.ConverterConfig{})
	require.NoError(t, err)
	var lines []string
	for _, md := range all {
		batches, err := c.Convert(md)
		require.NoError(t, err)
		for _, b := range batches {
			for _, d := range b.Data {
				lines = append(lines, fmt.Sprintf("%s %s %s/%s%v %v %s %d", b.Account, b.Region, d.Namespace, d.Name, d.Dimensions, d.Value, d.Unit, d.TimestampMs))
			}
		}
	}
	return lines
}

func TestConsumeLogs(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	c, tel := newTestConnector(t, createDefaultConfig().(*Config), sink)
	ld := plog.NewLogs()
	records := addResource(ld, "123456789012", "eu-central-1", "/g")
	records.AppendEmpty().Body().SetStr(validDocument)
	records.AppendEmpty().Body().SetStr("an ordinary line")
	records.AppendEmpty().Body().SetInt(7)
	records.AppendEmpty().Body().SetStr("INFO " + validDocument)
	records.AppendEmpty().Body().SetStr(strings.Replace(validDocument, `"m":1`, `"m":"1"`, 1))
	records.AppendEmpty().Body().SetEmptyBytes().FromRaw([]byte(strings.Replace(validDocument, `"d":"x"`, `"d":"bytes"`, 1)))

	lambda := addResource(ld, "", "", "/aws/lambda/f")
	lambda.AppendEmpty().Body().SetStr("2025-01-01T00:00:00.000Z\tid\tINFO\t" + validDocument)

	other := addResource(ld, "123456789012", "eu-central-1", "/h")
	other.AppendEmpty().Body().SetStr(strings.Replace(validDocument, `"m":1`, `"m":5`, 1))

	require.NoError(t, c.ConsumeLogs(t.Context(), ld))
	require.Len(t, sink.AllMetrics(), 1)
	assert.ElementsMatch(t, []string{
		"123456789012 eu-central-1 n/m[{d x}] 1 Count 1735689600123",
		"123456789012 eu-central-1 n/m[{d bytes}] 1 Count 1735689600123",
		"123456789012 eu-central-1 n/m[{d x}] 5 Count 1735689600123",
		"123456789012 eu-central-1 AWS/Logs/EMFParsingErrors[{LogGroupName /g}] 1 None 1735689601000",
		"123456789012 eu-central-1 AWS/Logs/EMFValidationErrors[{LogGroupName /g}] 1 None 1735689601000",
		"  n/m[{d x}] 1 Count 1735689600123",
	}, describe(t, sink.AllMetrics()))
	metadatatest.AssertEqualConnectorEmfDocuments(t, tel, []metricdata.DataPoint[int64]{{Value: 6}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualConnectorEmfErrors(t, tel, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", "json"))},
		{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", "metric_value"))},
	}, metricdatatest.IgnoreTimestamp())
}

func TestNothingFoundNothingSent(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	cfg := createDefaultConfig().(*Config)
	cfg.ErrorMetrics = false
	c, _ := newTestConnector(t, cfg, sink)
	ld := plog.NewLogs()
	records := addResource(ld, "1", "r", "/g")
	records.AppendEmpty().Body().SetStr("an ordinary line")
	records.AppendEmpty().Body().SetStr(`{"_aws":"x"}`)
	require.NoError(t, c.ConsumeLogs(t.Context(), ld))
	assert.Empty(t, sink.AllMetrics())
}

func TestConfiguredOwner(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	c, _ := newTestConnector(t, &Config{AccountID: "210987654321", Region: "us-east-1"}, sink)
	ld := plog.NewLogs()
	addResource(ld, "", "", "").AppendEmpty().Body().SetStr(validDocument)
	require.NoError(t, c.ConsumeLogs(t.Context(), ld))
	assert.Equal(t, []string{"210987654321 us-east-1 n/m[{d x}] 1 Count 1735689600123"}, describe(t, sink.AllMetrics()))
}

// A body that an earlier operator parsed is a map.
func TestMapBody(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	c, _ := newTestConnector(t, &Config{}, sink)
	var raw map[string]any
	require.NoError(t, json.Unmarshal([]byte(validDocument), &raw))
	ld := plog.NewLogs()
	records := addResource(ld, "1", "r", "/g")
	require.NoError(t, records.AppendEmpty().Body().SetEmptyMap().FromRaw(raw))
	require.NoError(t, records.AppendEmpty().Body().SetEmptyMap().FromRaw(map[string]any{"a": "b"}))
	legacy := records.AppendEmpty()
	legacy.SetTimestamp(pcommon.NewTimestampFromTime(testTime.Add(-time.Minute)))
	require.NoError(t, legacy.Body().SetEmptyMap().FromRaw(map[string]any{
		"Version": "0", "v": 2, "CloudWatchMetrics": []any{
			map[string]any{"Namespace": "old", "Dimensions": []any{[]any{}}, "Metrics": []any{map[string]any{"Name": "v"}}},
		},
	}))
	require.NoError(t, c.ConsumeLogs(t.Context(), ld))
	assert.Equal(t, []string{
		"1 r n/m[{d x}] 1 Count 1735689600123",
		"1 r old/v[] 2 None 1735689541000",
	}, describe(t, sink.AllMetrics()))
}

func TestErrorOfNextIsReturned(t *testing.T) {
	want := errors.New("later")
	c, _ := newTestConnector(t, &Config{}, consumertest.NewErr(want))
	ld := plog.NewLogs()
	addResource(ld, "1", "r", "/g").AppendEmpty().Body().SetStr(validDocument)
	require.ErrorIs(t, c.ConsumeLogs(t.Context(), ld), want)
}

func BenchmarkConsumeLogs(b *testing.B) {
	set := connectortest.NewNopSettings(metadata.Type)
	for name, body := range map[string]string{
		"EMF":      validDocument,
		"ordinary": `{"level":"info","msg":"` + strings.Repeat("nothing to see here ", 25) + `","n":1}`,
	} {
		b.Run(name, func(b *testing.B) {
			c, err := newConnector(set, createDefaultConfig().(*Config), consumertest.NewNop())
			require.NoError(b, err)
			c.now = func() time.Time { return testTime }
			ld := plog.NewLogs()
			records := addResource(ld, "123456789012", "eu-central-1", "/g")
			for range 1000 {
				records.AppendEmpty().Body().SetStr(body)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := c.ConsumeLogs(b.Context(), ld); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "records/s")
		})
	}
}
