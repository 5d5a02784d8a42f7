// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmprocessor

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/nephoscope/nephoscope/internal/clock"
	"github.com/nephoscope/nephoscope/internal/cumulative"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/processor/alarmprocessor/internal/metadata"
)

// alarms is what the alarm extension does for its processors.
type alarms interface {
	// Watches is whether some alarm reads a metric of this namespace and name. It is cheap.
	Watches(namespace, metric string) bool
	// Observe shows data to the alarms. It keeps nothing of data.
	Observe(tenant cloudwatch.Tenant, data []cloudwatch.Datum)
}

// alarmProcessor shows to alarms what passes.
//
// A point that the next consumer refuses comes again, and must not count twice: alarms see it when it was accepted. What is
// made of it is made before, for afterwards the metrics may be somebody else's. The increase of a cumulative series is
// another matter: it is made of a point once only, so that alarms see it at once, and nothing is made of the point when it
// comes again.
type alarmProcessor struct {
	cfg       *Config
	next      consumer.Metrics
	telemetry *metadata.TelemetryBuilder
	// converter and alarms are there from Start on.
	converter *cloudwatch.Converter
	alarms    alarms
}

var _ processor.Metrics = (*alarmProcessor)(nil)

func newProcessor(set processor.Settings, cfg *Config, next consumer.Metrics) (*alarmProcessor, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &alarmProcessor{cfg: cfg, next: next, telemetry: telemetry}, nil
}

// Capabilities implements [consumer.Metrics].
func (*alarmProcessor) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start finds the alarm extension.
func (p *alarmProcessor) Start(_ context.Context, host component.Host) error {
	var err error
	p.converter, err = cloudwatch.NewConverter(cloudwatch.ConverterConfig{
		Account: p.cfg.AccountID, Region: p.cfg.Region, NamespaceTemplate: p.cfg.Metrics.Namespace, Now: clock.Of(host),
	})
	if err != nil {
		return err
	}
	ext, ok := host.GetExtensions()[p.cfg.Alarm]
	if !ok {
		return fmt.Errorf("extension %q not found: list it under service::extensions", p.cfg.Alarm)
	}
	if p.alarms, ok = ext.(alarms); !ok {
		return fmt.Errorf("extension %q is %T, not an extension of type %s", p.cfg.Alarm, ext, metadata.Type)
	}
	return nil
}

// Shutdown implements [component.Component].
func (p *alarmProcessor) Shutdown(context.Context) error {
	p.telemetry.Shutdown()
	return nil
}

// ConsumeMetrics implements [consumer.Metrics].
func (p *alarmProcessor) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	plain, increases := p.watched(ctx, md)
	if len(increases) > 0 {
		p.observe(ctx, increases)
	}
	if err := p.next.ConsumeMetrics(ctx, md); err != nil {
		return err
	}
	if len(plain) > 0 {
		p.observe(ctx, plain)
	}
	return nil
}

// watched converts what some alarm watches: points that can be converted again, and the increases of cumulative series.
func (p *alarmProcessor) watched(ctx context.Context, md pmetric.Metrics) (plain, increases []cloudwatch.Batch) {
	found := false
	plain = p.convert(ctx, md, func(namespace string, scope pcommon.InstrumentationScope, m pmetric.Metric) bool {
		if !p.alarms.Watches(namespace, m.Name()) {
			return false
		}
		if cumulative.Is(scope, m) {
			found = true
			return false
		}
		return true
	})
	if !found {
		return plain, nil
	}
	increases = p.convert(ctx, md, func(namespace string, scope pcommon.InstrumentationScope, m pmetric.Metric) bool {
		return cumulative.Is(scope, m) && p.alarms.Watches(namespace, m.Name())
	})
	return plain, increases
}

// convert counts the points that have no place in CloudWatch.
func (p *alarmProcessor) convert(ctx context.Context, md pmetric.Metrics, where cloudwatch.Where) []cloudwatch.Batch {
	batches, err := p.converter.ConvertWhere(md, 0, where)
	var dropped *cloudwatch.ConversionError
	if errors.As(err, &dropped) {
		for reason, n := range dropped.Dropped {
			p.telemetry.ProcessorAlarmDroppedPoints.Add(ctx, n, metric.WithAttributes(attribute.String("reason", string(reason))))
		}
	}
	return batches
}

func (p *alarmProcessor) observe(ctx context.Context, batches []cloudwatch.Batch) {
	var n int
	for i := range batches {
		b := &batches[i]
		p.alarms.Observe(cloudwatch.Tenant{Account: b.Account, Region: b.Region}, b.Data)
		n += len(b.Data)
	}
	p.telemetry.ProcessorAlarmObservedPoints.Add(ctx, int64(n))
}
