// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awscloudwatchexporter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/nephoscope/nephoscope/exporter/awscloudwatchexporter/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/awssession"
	"github.com/nephoscope/nephoscope/internal/cumulative"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

var (
	errFull      = errors.New(`as many periods are being aggregated as "max_series" allows`)
	errPermanent = errors.New("CloudWatch refused")
)

// cloudWatchExporter makes CloudWatch data of metrics, aggregates them, and hands what is aggregated to the exporter of
// the helper, which has the queue and the retries and calls push.
//
// What a cumulative point becomes can be computed once only, so it is before anything is kept or queued. What a call of
// ConsumeMetrics brought is durable when it returns: in the journal while its period is open, in the queue's storage after.
type cloudWatchExporter struct {
	cfg       *Config
	set       exporter.Settings
	next      exporter.Metrics
	telemetry *metadata.TelemetryBuilder
	// rejected logs what is given up, at most once a minute: the counters have the numbers.
	rejected *zap.Logger
	now      func() time.Time

	converter *cloudwatch.Converter
	// own reads back what this exporter wrote into the queue and the journal.
	own     *cloudwatch.Converter
	rollups rollups
	pending pendingIncreases

	session   *awssession.Session
	client    putter
	newClient func() putter

	// gate is held shared while data are written to the journal and merged, so that a flush finds either both or none.
	gate    sync.RWMutex
	periods *aggregator // nil when each call is sent at once
	journal *journal    // nil when what is aggregated is in memory only
	unsent  unsentData

	compact chan struct{}
	// background ends with Shutdown.
	background context.Context //nolint:containedctx // of the goroutine that flushes
	stop       context.CancelFunc
	stopOnce   sync.Once
	// patience is how long Shutdown waits for room in the queue.
	patience time.Duration
	started  bool
	working  sync.WaitGroup
}

// shutdownPatience is long for a queue that has room.
const shutdownPatience = 5 * time.Second

// putter is what is used of CloudWatch; its client implements it.
type putter interface {
	PutMetricData(context.Context, *api.PutMetricDataInput, ...func(*api.Options)) (*api.PutMetricDataOutput, error)
}

func newExporter(set exporter.Settings, cfg *Config) (*cloudWatchExporter, error) {
	e := &cloudWatchExporter{
		cfg: cfg, set: set, now: time.Now, pending: pendingIncreases{limit: maxPending},
		rollups: newRollups(cfg.RollupDimensions, cfg.DropOriginalMetrics),
		compact: make(chan struct{}, 1), patience: shutdownPatience,
		rejected: set.Logger.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
			return zapcore.NewSamplerWithOptions(c, time.Minute, 1, 0)
		})),
	}
	e.background, e.stop = context.WithCancel(context.Background())
	e.newClient = func() putter {
		return api.NewFromConfig(e.session.AWS, func(o *api.Options) {
			if e.session.Endpoint != nil {
				o.BaseEndpoint = e.session.Endpoint
			}
			o.APIOptions = append(o.APIOptions, limitBody)
		})
	}
	var errs [3]error
	e.converter, errs[0] = cloudwatch.NewConverter(cloudwatch.ConverterConfig{
		NamespaceTemplate: cfg.Namespace, Charset: cloudwatch.CharsetASCII, EnforceIngestWindow: true,
		Now: func() time.Time { return e.now() },
	})
	e.own, errs[1] = cloudwatch.NewConverter(cloudwatch.ConverterConfig{Charset: cloudwatch.CharsetASCII})
	e.telemetry, errs[2] = metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	if cfg.AggregationInterval > 0 {
		e.periods = newAggregator(cfg.AggregationInterval, cfg.AggregationDelay, cfg.AggregateAs == aggregateStatistics)
	}
	err := e.telemetry.RegisterExporterAwscloudwatchOpenPeriodsCallback(func(_ context.Context, o metric.Int64Observer) error {
		if e.periods != nil {
			o.Observe(int64(e.periods.size()))
		}
		return nil
	})
	return e, err
}

// Start opens the session and the storage, and takes up what a former process was aggregating.
func (e *cloudWatchExporter) Start(ctx context.Context, host component.Host) (err error) {
	if e.session, err = e.cfg.AWS.Open(ctx); err != nil {
		return err
	}
	e.client = e.newClient()
	if e.cfg.Storage != nil {
		if e.journal, err = e.openJournal(ctx, host); err != nil {
			return err
		}
	}
	if err := e.next.Start(ctx, host); err != nil {
		return err
	}
	e.started = true
	if e.periods != nil {
		e.working.Go(e.run)
	}
	return nil
}

func (e *cloudWatchExporter) openJournal(ctx context.Context, host component.Host) (*journal, error) {
	ext, ok := host.GetExtensions()[*e.cfg.Storage]
	if !ok {
		return nil, fmt.Errorf("extension %q not found: list it under service::extensions", e.cfg.Storage)
	}
	provider, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("extension %q is %T, not a storage extension", e.cfg.Storage, ext)
	}
	client, err := provider.GetClient(ctx, component.KindExporter, e.set.ID, "aggregation")
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", e.cfg.Storage, err)
	}
	j, err := openJournal(ctx, client, e.replay)
	if err != nil {
		return nil, errors.Join(err, client.Close(ctx))
	}
	return j, nil
}

// Shutdown sends what is being aggregated, whether or not its periods are over. What cannot be sent now is kept by the
// storage, if there is one.
func (e *cloudWatchExporter) Shutdown(ctx context.Context) error {
	var errs []error
	e.stopOnce.Do(func() {
		e.stop()
		e.working.Wait()
		if e.started && e.periods != nil {
			e.periods.add(e.pending.take(), e.now().UnixMilli()) // no call will come that takes them along
			// A queue that blocks while it is full would block for ever when CloudWatch cannot be reached.
			wait, done := context.WithTimeout(ctx, e.patience)
			errs = append(errs, e.flush(wait, true))
			done()
		}
		errs = append(errs, e.next.Shutdown(ctx))
		if n := e.unsent.size(); n > 0 && e.journal == nil {
			e.set.Logger.Warn("aggregated data were not sent", zap.Int("data", n))
		}
		if n := len(e.pending.take()); n > 0 {
			e.set.Logger.Warn("increases of cumulative series were not sent", zap.Int("data", n))
		}
		if e.journal != nil {
			errs = append(errs, e.journal.close(ctx))
		}
		if e.session != nil {
			e.session.Close()
		}
		e.telemetry.Shutdown()
	})
	return errors.Join(errs...)
}

// Capabilities says that metrics are changed.
func (*cloudWatchExporter) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// ConsumeMetrics aggregates metrics, or sends them when there is no interval to do so. When that fails for now,
// increases of cumulative series wait for the next call, and all else is given back.
func (e *cloudWatchExporter) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	if e.periods != nil && e.periods.size()+e.unsent.size() >= e.cfg.MaxSeries {
		return errFull
	}
	e.prepare(md)
	plain, cumulativeOnes := cumulative.Split(md)
	increases := append(e.pending.take(), e.convert(ctx, cumulativeOnes)...)
	data := e.convert(ctx, plain)
	if len(increases)+len(data) == 0 {
		return nil
	}
	err := e.accept(ctx, increases, data)
	if err == nil {
		return nil
	}
	if consumererror.IsPermanent(err) {
		e.countDropped(ctx, reasonNotSent, int64(len(increases)))
		return err
	}
	if unsent, rest, known := e.unsentParts(err); known {
		// What is given back is converted and aggregated, which converting it again does not change.
		increases, plain = unsent, toMetrics(nil, rest)
	} else if cumulativeOnes.DataPointCount() == 0 {
		e.keepIncreases(ctx, increases)
		return err
	}
	e.keepIncreases(ctx, increases)
	return consumererror.NewMetrics(err, plain)
}

// keepIncreases makes increases wait for the next call.
func (e *cloudWatchExporter) keepIncreases(ctx context.Context, increases []cloudwatch.Datum) {
	e.countDropped(ctx, reasonNotSent, int64(e.pending.keep(increases)))
}

func (e *cloudWatchExporter) accept(ctx context.Context, increases, data []cloudwatch.Datum) error {
	if e.periods == nil {
		return e.next.ConsumeMetrics(ctx, toMetrics(e.aggregate(increases), e.aggregate(data)))
	}
	data = append(increases, data...)
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.journal != nil {
		entry, err := encode(toMetrics(nil, data))
		if err != nil {
			return consumererror.NewPermanent(err)
		}
		if err := e.journal.append(ctx, entry); err != nil {
			return err
		}
		if e.journal.overgrown() {
			select {
			case e.compact <- struct{}{}:
			default:
			}
		}
	}
	e.periods.add(data, e.now().UnixMilli())
	return nil
}

// aggregate merges the samples of one call.
func (e *cloudWatchExporter) aggregate(data []cloudwatch.Datum) []cloudwatch.Datum {
	if len(data) == 0 {
		return nil
	}
	a := newAggregator(0, 0, e.cfg.AggregateAs == aggregateStatistics)
	now := e.now()
	a.add(data, now.UnixMilli())
	return e.data(a.take(now, true))
}

// data are what is sent of periods.
func (e *cloudWatchExporter) data(periods []*period) (data []cloudwatch.Datum) {
	for _, p := range e.rollups.apply(periods) {
		data = p.appendData(data, e.cfg.MaxValuesPerDatum)
	}
	return data
}
