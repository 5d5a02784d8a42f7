// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsemfexporter

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/google/uuid"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/nephoscope/nephoscope/exporter/awsemfexporter/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/awssession"
	"github.com/nephoscope/nephoscope/internal/cumulative"
	"github.com/nephoscope/nephoscope/internal/logswriter"
)

// emfExporter makes documents of metrics and hands them, as log records, to the exporter that it embeds, which has the
// queue and the retries: what a cumulative point becomes can be computed once only.
type emfExporter struct {
	exporter.Logs

	cfg        *Config
	set        exporter.Settings
	translator *translator
	telemetry  *metadata.TelemetryBuilder
	// rejected logs what is given up, at most once a minute: the counters have the numbers.
	rejected *zap.Logger
	now      func() time.Time
	pending  pendingDocuments

	session *awssession.Session
	writer  *logswriter.Writer

	stdoutMu sync.Mutex
	stdout   io.Writer
}

func newExporter(set exporter.Settings, cfg *Config) (*emfExporter, error) {
	e := &emfExporter{
		cfg: cfg, set: set, now: time.Now, stdout: os.Stdout, pending: pendingDocuments{limit: maxPending},
		rejected: set.Logger.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
			return zapcore.NewSamplerWithOptions(c, time.Minute, 1, 0)
		})),
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, err
	}
	if e.translator, err = newTranslator(cfg, "otel-stream-"+id.String(), func() time.Time { return e.now() }); err != nil {
		return nil, err
	}
	e.telemetry, err = metadata.NewTelemetryBuilder(set.TelemetrySettings)
	return e, err
}

func (e *emfExporter) start(ctx context.Context, _ component.Host) (err error) {
	if strings.EqualFold(e.cfg.OutputDestination, destinationStdout) {
		return nil
	}
	if e.session, err = e.cfg.AWS.Open(ctx); err != nil {
		return err
	}
	e.writer = logswriter.New(logswriter.Settings{
		Client: api.NewFromConfig(e.session.AWS, func(o *api.Options) {
			if e.session.Endpoint != nil {
				o.BaseEndpoint = e.session.Endpoint
			}
		}),
		Logger: e.set.Logger, Workers: e.cfg.AWS.NumWorkers,
		RetentionDays: int32(e.cfg.LogRetention), Tags: e.cfg.Tags,
		Format: "json/emf",
	})
	return nil
}

func (e *emfExporter) shutdown(context.Context) error {
	if n := e.pending.size(); n > 0 {
		e.set.Logger.Warn("increases of cumulative series were not written", zap.Int("documents", n))
	}
	if e.session != nil {
		e.session.Close()
	}
	e.telemetry.Shutdown()
	return nil
}

// Capabilities says that metrics are changed.
func (*emfExporter) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// ConsumeMetrics makes documents and hands them on. When they are not taken, points of cumulative series wait for the next
// call, and all others are given back.
func (e *emfExporter) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	e.translator.prepare(md)
	plain, increases := cumulative.Split(md)
	own := e.translate(ctx, increases)
	docs := append(e.pending.take(), own...)
	n := len(docs)
	docs = append(docs, e.translate(ctx, plain)...)
	if len(docs) == 0 {
		return nil
	}
	err := e.ConsumeLogs(ctx, toLogs(docs, n, e.now()))
	if err == nil {
		return nil
	}
	if consumererror.IsPermanent(err) {
		e.count(ctx, reasonNotWritten, int64(n))
		return err
	}
	e.count(ctx, reasonNotWritten, int64(e.pending.keep(unwritten(err, docs[:n]))))
	if increases.DataPointCount() == 0 {
		return err
	}
	return consumererror.NewMetrics(err, plain)
}

func (e *emfExporter) translate(ctx context.Context, md pmetric.Metrics) []document {
	if md.ResourceMetrics().Len() == 0 {
		return nil
	}
	docs, dropped := e.translator.translate(md)
	level := zapcore.DebugLevel
	for reason, n := range dropped {
		e.count(ctx, reason, n)
		if !expected(reason) {
			level = zapcore.WarnLevel
		}
	}
	if len(dropped) > 0 {
		e.rejected.Log(level, "data points could not be written as embedded metrics", zap.Any("reasons", dropped))
	}
	return docs
}

func (e *emfExporter) count(ctx context.Context, reason string, n int64) {
	if n > 0 {
		e.telemetry.ExporterAwsemfDroppedDataPoints.Add(ctx, n, metric.WithAttributes(attribute.String("reason", reason)))
	}
}
