// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsfirehosereceiver

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/pkg/metricstream"
	"github.com/nephoscope/nephoscope/receiver/awsfirehosereceiver/internal/metadata"
)

type firehoseReceiver struct {
	cfg       *Config
	format    metricstream.Format
	set       receiver.Settings
	next      consumer.Metrics
	telemetry *metadata.TelemetryBuilder
	obs       *receiverhelper.ObsReport
	now       func() time.Time

	listener net.Listener
	server   *http.Server
	wg       sync.WaitGroup
}

func newReceiver(set receiver.Settings, cfg *Config, next consumer.Metrics) (*firehoseReceiver, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	return &firehoseReceiver{
		cfg: cfg, format: encodings[cfg.encoding()], set: set, next: next, telemetry: telemetry, obs: obs, now: time.Now,
	}, nil
}

// Start begins to listen.
func (r *firehoseReceiver) Start(ctx context.Context, host component.Host) (err error) {
	server := r.cfg.HTTP
	if server.MaxRequestBodySize == 0 {
		server.MaxRequestBodySize = maxBodyBytes
	}
	if r.server, err = server.ToServer(ctx, host.GetExtensions(), r.set.TelemetrySettings, r); err != nil {
		return err
	}
	if r.listener, err = server.ToListener(ctx); err != nil {
		return err
	}
	r.wg.Go(func() {
		if err := r.server.Serve(r.listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// Shutdown lets the requests under way end.
func (r *firehoseReceiver) Shutdown(ctx context.Context) error {
	defer r.telemetry.Shutdown()
	if r.server == nil {
		return nil
	}
	err := r.server.Shutdown(ctx)
	r.wg.Wait()
	return err
}

// ServeHTTP takes a delivery: what it answers 200 to is in the pipeline.
func (r *firehoseReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	id := req.Header.Get(headerRequestID)
	out := answer{RequestID: id, Timestamp: r.now().UnixMilli()}
	status := http.StatusOK
	if err := r.take(req, id); err != nil {
		var refused *refusal
		if !errors.As(err, &refused) {
			refused = &refusal{http.StatusServiceUnavailable, "pipeline", err}
			if consumererror.IsPermanent(err) {
				refused.status = http.StatusBadRequest
			}
		}
		status, out.ErrorMessage = refused.status, refused.Error()
		r.telemetry.ReceiverAwsfirehoseRefusedRequests.Add(req.Context(), 1, metric.WithAttributes(attribute.String("reason", refused.reason)))
		r.set.Logger.Warn("delivery refused", zap.String("request", id), zap.Int("status", status), zap.Error(err))
	}
	body, err := json.Marshal(out)
	if err != nil {
		r.set.Logger.Error("answer not encoded", zap.Error(err))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		r.set.Logger.Debug("answer not delivered", zap.Error(err))
	}
}

func (r *firehoseReceiver) take(req *http.Request, id string) error {
	switch {
	case req.Method != http.MethodPost:
		return refuse(http.StatusMethodNotAllowed, "invalid", "Firehose delivers by POST")
	case r.cfg.AccessKey != "" && subtle.ConstantTimeCompare([]byte(req.Header.Get(headerAccessKey)), []byte(r.cfg.AccessKey)) != 1:
		return refuse(http.StatusUnauthorized, "access_key", "the access key in %s is not the configured one", headerAccessKey)
	case id == "":
		return refuse(http.StatusBadRequest, "invalid", "the header %s is missing", headerRequestID)
	}
	if v := req.Header.Get(headerVersion); v != "" && v != protocolVersion {
		return refuse(http.StatusBadRequest, "invalid", "%s is %q, not %q", headerVersion, v, protocolVersion)
	}
	d, err := readDelivery(req, id)
	if err != nil {
		return err
	}
	points, err := d.points(r.format)
	if err != nil || len(points) == 0 {
		return err
	}
	md, left := metricstream.ToMetrics(points)
	ctx := r.obs.StartMetricsOp(req.Context())
	err = r.next.ConsumeMetrics(ctx, md)
	r.obs.EndMetricsOp(ctx, metadata.Type.String(), len(points), err)
	if err == nil && left > 0 {
		r.telemetry.ReceiverAwsfirehoseDroppedStatistics.Add(ctx, int64(left))
	}
	return err
}
