// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"context"
	"errors"
	"strings"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const (
	reservedNamespace = "AWS/"

	reasonReservedNamespace = "reserved_namespace"
	reasonNotSent           = "not_sent" // increases that could not be kept until they could be sent
)

// Marks of resources in what this exporter writes into the queue and the journal.
const (
	// attributeIncrease marks data of cumulative series, which cannot be converted once more.
	attributeIncrease = "nephoscope.increase"
	// attributeFinal marks data that are aggregated and rolled up.
	attributeFinal = "nephoscope.final"
)

// prepare gives the configured resolution to scopes that have none.
func (e *cloudWatchExporter) prepare(md pmetric.Metrics) {
	if e.cfg.StorageResolution == 60 {
		return
	}
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			attrs := sm.Scope().Attributes()
			if _, ok := attrs.Get(cloudwatch.AttributeStorageResolution); !ok {
				attrs.PutInt(cloudwatch.AttributeStorageResolution, int64(e.cfg.StorageResolution))
			}
		}
	}
}

// convert makes data, and counts the points of which none can be made. The account and the region are those of the
// credentials, whatever the resource says.
func (e *cloudWatchExporter) convert(ctx context.Context, md pmetric.Metrics) (data []cloudwatch.Datum) {
	if md.ResourceMetrics().Len() == 0 {
		return nil
	}
	batches, err := e.converter.Convert(md)
	dropped := make(map[string]int64)
	var some *cloudwatch.ConversionError
	if errors.As(err, &some) {
		for reason, n := range some.Dropped {
			dropped[string(reason)] += n
		}
	}
	for i := range batches {
		for j := range batches[i].Data {
			d := &batches[i].Data[j]
			if strings.HasPrefix(d.Namespace, reservedNamespace) {
				dropped[reasonReservedNamespace]++
				continue
			}
			data = append(data, *d)
		}
	}
	level := zapcore.DebugLevel
	for reason, n := range dropped {
		e.countDropped(ctx, reason, n)
		if !expected(reason) {
			level = zapcore.WarnLevel
		}
	}
	if len(dropped) > 0 {
		e.rejected.Log(level, "data points have no place in CloudWatch", zap.Any("reasons", dropped))
	}
	return data
}

// expected is whether a reason is no fault: such points have nothing that could be sent.
func expected(reason string) bool {
	switch cloudwatch.Reason(reason) {
	case cloudwatch.ReasonFirstPoint, cloudwatch.ReasonOutOfOrder, cloudwatch.ReasonNoRecordedValue:
		return true
	}
	return false
}

func (e *cloudWatchExporter) countDropped(ctx context.Context, reason string, n int64) {
	if n > 0 {
		e.telemetry.ExporterAwscloudwatchDroppedDataPoints.Add(ctx, n, metric.WithAttributes(attribute.String("reason", reason)))
	}
}

// toMetrics writes data into the form of the queue and the journal.
func toMetrics(increases, data []cloudwatch.Datum) pmetric.Metrics {
	md := pmetric.NewMetrics()
	appendMarked(md, increases, attributeIncrease)
	appendMarked(md, data, "")
	return md
}

func appendMarked(md pmetric.Metrics, data []cloudwatch.Datum, mark string) {
	if len(data) == 0 {
		return
	}
	one := cloudwatch.ToMetrics("", "", data)
	if mark != "" {
		one.ResourceMetrics().At(0).Resource().Attributes().PutBool(mark, true)
	}
	one.ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
}

// fromMetrics reads what toMetrics wrote, and calls f with the data of each resource and whether it has the mark.
func (e *cloudWatchExporter) fromMetrics(md pmetric.Metrics, mark string, f func(data []cloudwatch.Datum, marked bool)) error {
	var errs []error
	for _, rm := range md.ResourceMetrics().All() {
		one := pmetric.NewMetrics()
		rm.CopyTo(one.ResourceMetrics().AppendEmpty())
		batches, err := e.own.Convert(one)
		errs = append(errs, err)
		_, marked := rm.Resource().Attributes().Get(mark)
		for i := range batches {
			f(batches[i].Data, marked)
		}
	}
	return errors.Join(errs...)
}

func encode(md pmetric.Metrics) ([]byte, error) {
	return (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
}

// replay takes up what a former process was aggregating, or could not hand on any more.
func (e *cloudWatchExporter) replay(entry []byte) error {
	md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(entry)
	if err != nil {
		return err
	}
	now := e.now().UnixMilli()
	return e.fromMetrics(md, attributeFinal, func(data []cloudwatch.Datum, final bool) {
		if final {
			e.unsent.add(data)
		} else {
			e.periods.add(data, now)
		}
	})
}
