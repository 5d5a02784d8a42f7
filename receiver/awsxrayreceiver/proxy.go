// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsxrayreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"
	"golang.org/x/net/netutil"

	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/xray"
)

// Time limits of the TCP port.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = time.Minute
	idleTimeout   = 2 * time.Minute
	maxHeaderSize = 64 << 10
	// maxDocuments bounds one PutTraceSegments. The daemon sends 50.
	maxDocuments = 1000
)

// startServer opens the TCP port on which SDKs ask for sampling rules, without signing. What else the daemon
// would forward to X-Ray and has a place here, segments, is taken too; all other operations are errors.
func (r *xrayReceiver) startServer(ctx context.Context, host component.Host) error {
	if r.cfg.ProxyServer.Endpoint == "" {
		return nil
	}
	handler, err := r.newHandler(time.Now)
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", r.cfg.ProxyServer.Endpoint)
	if err != nil {
		return fmt.Errorf("listen on proxy_server endpoint: %w", err)
	}
	r.tcpAddr = l.Addr()
	l = netutil.LimitListener(l, r.cfg.ProxyServer.MaxConnections)
	r.server = &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderSize,
		WriteTimeout: writeTimeout,
	}
	if r.server.ErrorLog, err = zap.NewStdLogAt(r.logger, zap.DebugLevel); err != nil {
		return errors.Join(err, l.Close())
	}
	r.others.Go(func() {
		if err := r.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

func (r *xrayReceiver) newHandler(now func() time.Time) (http.Handler, error) {
	s := awswire.NewService("xray")
	s.MaxBody = r.cfg.ProxyServer.MaxRequestBodySize
	sampling := xray.NewDefaultSampling(now)
	awswire.Handle(s, "GetSamplingRules", func(_ context.Context, in *sdk.GetSamplingRulesInput) (*sdk.GetSamplingRulesOutput, error) {
		return sampling.GetSamplingRules(r.cfg.AccountID, r.cfg.Region, in)
	})
	awswire.Handle(s, "GetSamplingTargets", func(_ context.Context, in *sdk.GetSamplingTargetsInput) (*sdk.GetSamplingTargetsOutput, error) {
		return sampling.GetSamplingTargets(in)
	})
	awswire.Handle(s, "PutTraceSegments", r.putTraceSegments)
	awswire.Handle(s, "PutTelemetryRecords", r.putTelemetryRecords)
	mux, err := awswire.NewMux(awswire.MuxSettings{
		Services: []*awswire.Service{s},
		Authenticator: awswire.NewAuthenticator(awswire.AuthenticatorSettings{
			Account: r.cfg.AccountID, Region: r.cfg.Region,
		}),
		Logger:   r.logger,
		MaxBody:  r.cfg.ProxyServer.MaxRequestBodySize,
		Fallback: http.HandlerFunc(unknownPath),
		Now:      now,
	})
	if err != nil {
		return nil, err
	}
	return mux, nil
}

// unknownPath answers what is no operation of X-Ray in the shape of X-Ray's errors.
func unknownPath(w http.ResponseWriter, req *http.Request) {
	const code = "UnknownOperationException"
	path := req.URL.Path
	if len(path) > 128 {
		path = path[:128]
	}
	body, _ := json.Marshal(map[string]string{"__type": code, "Message": fmt.Sprintf("%s %q is no operation of X-Ray.", req.Method, path)})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", code)
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write(body)
}

func invalidRequest(format string, args ...any) error {
	return &types.InvalidRequestException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// putTraceSegments takes the documents that are good. One that is not does not fail the call.
func (r *xrayReceiver) putTraceSegments(ctx context.Context, in *sdk.PutTraceSegmentsInput) (*sdk.PutTraceSegmentsOutput, error) {
	switch n := len(in.TraceSegmentDocuments); {
	case in.TraceSegmentDocuments == nil:
		return nil, invalidRequest("TraceSegmentDocuments is required.")
	case n > maxDocuments:
		return nil, invalidRequest("TraceSegmentDocuments has %d documents, the most is %d.", n, maxDocuments)
	}
	td, refused := xray.ToTraces(r.cfg.AccountID, r.cfg.Region, in.TraceSegmentDocuments)
	r.rejectDocuments(ctx, refused)
	if n := td.SpanCount(); n > 0 {
		op := r.tcpReport.StartTracesOp(ctx)
		err := r.next.ConsumeTraces(op, td)
		r.tcpReport.EndTracesOp(op, formatXRay, n, err)
		switch {
		case err == nil:
		case consumererror.IsPermanent(err):
			return nil, fmt.Errorf("the pipeline refused segments: %w", err)
		default:
			return nil, awswire.Throttled()
		}
	}
	out := &sdk.PutTraceSegmentsOutput{UnprocessedTraceSegments: make([]types.UnprocessedTraceSegment, len(refused))}
	for i := range refused {
		out.UnprocessedTraceSegments[i] = refused[i].SDK()
	}
	return out, nil
}

// putTelemetryRecords takes what daemons say of themselves. Nothing reads it: X-Ray has no operation for it.
func (r *xrayReceiver) putTelemetryRecords(_ context.Context, in *sdk.PutTelemetryRecordsInput) (*sdk.PutTelemetryRecordsOutput, error) {
	if in.TelemetryRecords == nil {
		return nil, invalidRequest("TelemetryRecords is required.")
	}
	return &sdk.PutTelemetryRecordsOutput{}, nil
}
