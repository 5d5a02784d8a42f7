// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/pipelines"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// otlpHandler serves OTLP over HTTP where AWS does: at /v1/metrics of CloudWatch and /v1/traces of X-Ray, signed as the
// requests of their APIs are.
type otlpHandler struct {
	auth    awswire.Authenticator
	logger  *zap.Logger
	signals map[string]otlpSignal // by path
}

// otlpSignal is one of the endpoints, with AWS's limits.
type otlpSignal struct {
	service *awswire.Service
	maxBody int64 // bytes, also after decompression
	// export decodes a request and hands it on.
	export func(ctx context.Context, id awswire.Identity, body []byte, json bool) error
}

// AWS's limits of OTLP requests.
const (
	maxOTLPMetricsBody = 1 << 20
	maxOTLPDataPoints  = 1_000
	maxOTLPTracesBody  = 5 << 20
	maxOTLPSpans       = 10_000
)

func (e *awsAPI) newOTLPHandler(auth awswire.Authenticator) *otlpHandler {
	return &otlpHandler{auth: auth, logger: e.logger, signals: map[string]otlpSignal{
		"/v1/metrics": {awswire.NewService("monitoring"), maxOTLPMetricsBody, e.exportMetrics},
		"/v1/traces":  {awswire.NewService("xray"), maxOTLPTracesBody, e.exportTraces},
	}}
}

// otlpError is a refused request.
type otlpError struct {
	status  int
	code    codes.Code
	message string
}

func (e *otlpError) Error() string { return e.message }

func badOTLP(format string, args ...any) error {
	return &otlpError{http.StatusBadRequest, codes.InvalidArgument, fmt.Sprintf(format, args...)}
}

func (h *otlpHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signal, ok := h.signals[strings.TrimSuffix(r.URL.Path, "/")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	isJSON, out, err := h.serve(r, &signal)
	code := http.StatusOK
	if err != nil {
		code, out = h.failure(r, err, isJSON)
	}
	contentType := "application/x-protobuf"
	if isJSON {
		contentType = "application/json"
	}
	if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(code)
	if _, err := w.Write(out); err != nil { //nolint:gosec // protobuf or JSON, never shown as a page
		h.logger.Debug("answer not delivered", zap.Error(err))
	}
}

func (h *otlpHandler) serve(r *http.Request, signal *otlpSignal) (isJSON bool, out []byte, err error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	isJSON = mediaType == "application/json"
	switch {
	case r.Method != http.MethodPost:
		return isJSON, nil, &otlpError{http.StatusMethodNotAllowed, codes.Unimplemented, "OTLP is sent by POST"}
	case err != nil || !isJSON && mediaType != "application/x-protobuf":
		return isJSON, nil, &otlpError{
			http.StatusUnsupportedMediaType, codes.InvalidArgument, "Content-Type must be application/x-protobuf or application/json",
		}
	}
	sent, err := readAtMost(r.Body, signal.maxBody)
	if err != nil {
		return isJSON, nil, err
	}
	id, err := h.auth.Authenticate(r, sent, signal.service, "")
	if err != nil {
		return isJSON, nil, err
	}
	body := sent
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(sent))
		if err != nil {
			return isJSON, nil, badOTLP("the body is not gzip: %v", err)
		}
		if body, err = readAtMost(z, signal.maxBody); err != nil {
			return isJSON, nil, err
		}
	default:
		return isJSON, nil, &otlpError{
			http.StatusUnsupportedMediaType, codes.InvalidArgument, fmt.Sprintf("Content-Encoding must be gzip or identity, not %q", encoding),
		}
	}
	if err := signal.export(r.Context(), id, body, isJSON); err != nil || !isJSON {
		return isJSON, nil, err // an ExportServiceResponse without members has no bytes
	}
	return isJSON, []byte("{}"), nil
}

func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, badOTLP("the body cannot be read: %v", err)
	}
	if int64(len(data)) > limit {
		return nil, &otlpError{
			http.StatusRequestEntityTooLarge, codes.InvalidArgument, fmt.Sprintf("the body has more than %d bytes", limit),
		}
	}
	return data, nil
}

func (e *awsAPI) exportMetrics(ctx context.Context, id awswire.Identity, body []byte, isJSON bool) error {
	req := pmetricotlp.NewExportRequest()
	unmarshal := req.UnmarshalProto
	if isJSON {
		unmarshal = req.UnmarshalJSON
	}
	if err := unmarshal(body); err != nil {
		return badOTLP("the body is not an ExportMetricsServiceRequest: %v", err)
	}
	md := req.Metrics()
	if n := md.DataPointCount(); n > maxOTLPDataPoints {
		return badOTLP("the request has %d data points, the limit is %d", n, maxOTLPDataPoints)
	}
	for _, r := range md.ResourceMetrics().All() {
		setTenant(r.Resource(), id)
	}
	if err := e.consumeMetrics(ctx, md); err != nil {
		return err
	}
	return nil
}

// consumeMetrics hands metrics to the pipelines; an empty request has nothing to hand over.
func (e *awsAPI) consumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	if md.DataPointCount() == 0 {
		return nil
	}
	return e.pipelines.ConsumeMetrics(ctx, md)
}

func (e *awsAPI) exportTraces(ctx context.Context, id awswire.Identity, body []byte, isJSON bool) error {
	req := ptraceotlp.NewExportRequest()
	unmarshal := req.UnmarshalProto
	if isJSON {
		unmarshal = req.UnmarshalJSON
	}
	if err := unmarshal(body); err != nil {
		return badOTLP("the body is not an ExportTraceServiceRequest: %v", err)
	}
	td := req.Traces()
	if n := td.SpanCount(); n > maxOTLPSpans {
		return badOTLP("the request has %d spans, the limit is %d", n, maxOTLPSpans)
	}
	for _, r := range td.ResourceSpans().All() {
		setTenant(r.Resource(), id)
	}
	if err := e.consumeTraces(ctx, td); err != nil {
		return err
	}
	return nil
}

func (e *awsAPI) consumeTraces(ctx context.Context, td ptrace.Traces) error {
	if td.SpanCount() == 0 {
		return nil
	}
	return e.pipelines.ConsumeTraces(ctx, td)
}

// setTenant makes what was sent belong to who sent it.
func setTenant(r pcommon.Resource, id awswire.Identity) {
	a := r.Attributes()
	a.PutStr("cloud.provider", "aws")
	a.PutStr("cloud.account.id", id.Account)
	a.PutStr("cloud.region", id.Region)
}

// failure is an error as OTLP clients expect it: the status says whether to send again.
func (h *otlpHandler) failure(r *http.Request, err error, isJSON bool) (int, []byte) {
	var bad *otlpError
	if !errors.As(err, &bad) {
		bad = h.awsFailure(r, err)
	}
	s := status.New(bad.code, bad.message).Proto()
	var out []byte
	var merr error
	if isJSON {
		out, merr = protojson.Marshal(s)
	} else {
		out, merr = proto.Marshal(s)
	}
	if merr != nil {
		h.logger.Error("error not encoded", zap.Error(merr))
	}
	return bad.status, out
}

func (h *otlpHandler) awsFailure(r *http.Request, err error) *otlpError {
	var aws *awswire.Error
	if !errors.As(pipelines.AWSError(err), &aws) {
		aws = awswire.InternalFailure()
	}
	switch aws.Code {
	case awswire.Throttled().Code:
		return &otlpError{http.StatusTooManyRequests, codes.ResourceExhausted, aws.Message}
	case awswire.Unavailable("").Code:
		return &otlpError{http.StatusServiceUnavailable, codes.Unavailable, aws.Message}
	case awswire.InternalFailure().Code:
		if r.Context().Err() == nil {
			h.logger.Error("OTLP request failed", zap.String("path", r.URL.Path), zap.Error(err))
		}
		return &otlpError{http.StatusInternalServerError, codes.Internal, aws.Message}
	}
	return &otlpError{http.StatusForbidden, codes.Unauthenticated, aws.Message}
}
