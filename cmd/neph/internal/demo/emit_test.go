// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/awsclient"
)

// ear listens where a collector would, and counts what it hears.
type ear struct {
	mu                                        sync.Mutex
	logEvents, datums, spans, points, records int
	documents, segments                       []map[string]any
	rejectLogs                                bool
}

func (e *ear) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	switch _, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); {
	case r.URL.Path == "/v1/traces":
		req := ptraceotlp.NewExportRequest()
		_ = req.UnmarshalProto(body)
		e.spans += req.Traces().SpanCount()
	case r.URL.Path == "/v1/metrics":
		req := pmetricotlp.NewExportRequest()
		_ = req.UnmarshalProto(body)
		e.points += req.Metrics().DataPointCount()
	case r.URL.Path == "/v1/logs":
		req := plogotlp.NewExportRequest()
		_ = req.UnmarshalProto(body)
		e.records += req.Logs().LogRecordCount()
		if e.rejectLogs {
			resp := plogotlp.NewExportResponse()
			resp.PartialSuccess().SetRejectedLogRecords(2)
			resp.PartialSuccess().SetErrorMessage("too old")
			text, _ := resp.MarshalProto()
			_, _ = w.Write(text)
		}
	case strings.HasSuffix(r.URL.Path, "/PutMetricData"):
		v, err := cbor.Decode(body)
		if err == nil {
			e.datums += len(v.(cbor.Map)["MetricData"].(cbor.List))
		}
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	case op == "PutLogEvents":
		var in struct{ LogEvents []any }
		_ = json.Unmarshal(body, &in)
		e.logEvents += len(in.LogEvents)
		_, _ = io.WriteString(w, "{}")
	}
}

func (e *ear) hear(text []byte, into *[]map[string]any) {
	var doc map[string]any
	if json.Unmarshal(text, &doc) != nil {
		doc = map[string]any{"broken": string(text)}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	*into = append(*into, doc)
}

// listen returns an ear, its addresses, and a function that waits until it has heard everything.
func listen(t *testing.T) (e *ear, cfg awsclient.Target, at Addresses) {
	t.Helper()
	e = &ear{}
	server := httptest.NewServer(e)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		c, err := tcp.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		for lines := bufio.NewScanner(c); lines.Scan(); {
			e.hear(lines.Bytes(), &e.documents)
		}
	})
	wg.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, _, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			_, doc, _ := strings.Cut(string(buf[:n]), "\n")
			e.hear([]byte(doc), &e.segments)
		}
	})
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, tcp.Close())
		require.NoError(t, udp.Close())
		wg.Wait()
	})
	target := awsclient.Target{Endpoint: server.URL, Region: "us-east-1", AccessKeyID: "test", SecretAccessKey: "test"}
	return e, target, Addresses{XRay: udp.LocalAddr().String(), EMF: tcp.Addr().String(), OTLPHTTP: strings.TrimPrefix(server.URL, "http://")}
}

func TestMinuteIsSentAndBooked(t *testing.T) {
	t.Parallel()
	heard, target, at := listen(t)
	cfg := target.Config()
	defer cfg.HTTPClient.(*http.Client).CloseIdleConnections()
	shop := NewShop(11, noon)
	e, err := newEmitter(t.Context(), shop, cfg, at)
	require.NoError(t, err)
	defer func() { require.NoError(t, e.close()) }()
	m := &shop.Minutes[0]
	require.NoError(t, e.minute(t.Context(), m))

	charges := 0
	for _, o := range m.Orders {
		if o.PaymentsSpan.Ran() {
			charges++
		}
	}
	n := len(m.Orders)
	require.Eventually(t, func() bool {
		heard.mu.Lock()
		defer heard.mu.Unlock()
		return len(heard.segments) == n+charges && len(heard.documents) == charges
	}, dialTimeout, datagramPause)
	heard.mu.Lock()
	defer heard.mu.Unlock()
	require.Equal(t, n+charges, heard.logEvents)
	require.Equal(t, 3+len(m.Queue), heard.datums, "latency, placed, stock; the queue")
	require.Equal(t, 2*n, heard.spans)
	require.Equal(t, 2, heard.points)
	require.Equal(t, n, heard.records)
	for _, d := range heard.documents {
		require.Contains(t, d, "_aws")
	}
	for _, s := range heard.segments {
		require.Contains(t, s, "trace_id")
	}

	require.Equal(t, n+charges, e.ledger.documents)
	require.Len(t, e.ledger.segments, n)
	events := 0
	for _, messages := range e.ledger.logs {
		events += len(messages)
	}
	require.Equal(t, n+charges+charges+n, events, "log events, EMF, OTLP")
	latency := e.ledger.metrics[ordersLatency(shop.Run)]
	require.InDelta(t, n, latency.Count, 0)
	require.InDelta(t, charges, e.ledger.metrics[metricKey{
		namespace, "ChargeLatency", dimensions("Service", payments, "Run", shop.Run), viaEMF, 60,
	}].Count, 0)
}

func TestPartialSuccessIsAnError(t *testing.T) {
	t.Parallel()
	heard, target, at := listen(t)
	heard.rejectLogs = true
	cfg := target.Config()
	defer cfg.HTTPClient.(*http.Client).CloseIdleConnections()
	shop := NewShop(11, noon)
	e, err := newEmitter(t.Context(), shop, cfg, at)
	require.NoError(t, err)
	defer func() { require.NoError(t, e.close()) }()
	require.EqualError(t, e.minute(t.Context(), &shop.Minutes[0]), "send logs of inventory (OTLP): /v1/logs rejected 2: too old")
}
