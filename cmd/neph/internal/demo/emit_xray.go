// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// segmentHeader begins each datagram of the X-Ray daemon's protocol.
const segmentHeader = `{"format":"json","version":1}` + "\n"

// Datagrams wait for nobody: after a burst the receiver gets time to empty its socket.
const (
	datagramBurst = 32
	datagramPause = 2 * time.Millisecond
)

// document is an X-Ray segment or subsegment.
type document struct {
	Name        string         `json:"name"`
	ID          string         `json:"id"`
	TraceID     string         `json:"trace_id,omitempty"`
	ParentID    string         `json:"parent_id,omitempty"`
	Start       json.Number    `json:"start_time"`
	End         json.Number    `json:"end_time,omitempty"`
	InProgress  bool           `json:"in_progress,omitempty"`
	Type        string         `json:"type,omitempty"`
	Namespace   string         `json:"namespace,omitempty"`
	Fault       bool           `json:"fault,omitempty"`
	Error       bool           `json:"error,omitempty"`
	Throttle    bool           `json:"throttle,omitempty"`
	Inferred    bool           `json:"inferred,omitempty"`
	Cause       *cause         `json:"cause,omitempty"`
	HTTP        *httpData      `json:"http,omitempty"`
	AWS         map[string]any `json:"aws,omitempty"`
	Annotations map[string]any `json:"annotations,omitempty"`
	Metadata    map[string]any `json:"metadata,omitempty"`
	Subsegments []document     `json:"subsegments,omitempty"`
}

type cause struct {
	Exceptions []exception `json:"exceptions,omitempty"`
}

// UnmarshalJSON accepts the other form of a cause, the id of an exception elsewhere.
func (c *cause) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return nil
	}
	type plain cause
	return json.Unmarshal(b, (*plain)(c))
}

type exception struct {
	ID      string `json:"id,omitempty"`
	Type    string `json:"type,omitempty"`
	Message string `json:"message,omitempty"`
	Remote  bool   `json:"remote,omitempty"`
}

type httpData struct {
	Request  *httpRequest  `json:"request,omitempty"`
	Response *httpResponse `json:"response,omitempty"`
}

type httpRequest struct {
	Method   string `json:"method,omitempty"`
	URL      string `json:"url,omitempty"`
	ClientIP string `json:"client_ip,omitempty"`
}

type httpResponse struct {
	Status int `json:"status,omitempty"`
}

func newDocument(name string, s Span) document {
	return document{Name: name, ID: s.ID.String(), Start: epoch(s.At), End: epoch(s.End())}
}

// epoch writes a time as X-Ray does: seconds, with what is below them as a fraction.
func epoch(t time.Time) json.Number {
	return json.Number(fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/int(time.Millisecond)))
}

// post makes the document that of a POST request.
func (d *document) post(url string, status int) {
	d.HTTP = &httpData{Request: &httpRequest{Method: http.MethodPost, URL: url}, Response: &httpResponse{Status: status}}
	d.Fault, d.Error = status >= 500, status >= 400 && status < 500
}

// ordersDocument is the segment of the service that the customer talked to, with what it called.
func (e *emitter) ordersDocument(o *Order) document {
	d := newDocument(orders, o.OrdersSpan)
	d.TraceID = o.Trace.XRay()
	d.post("https://shop.example/checkout", o.Status())
	d.HTTP.Request.ClientIP = "203.0.113.7"
	d.Annotations = map[string]any{"order_id": o.ID, "run": e.shop.Run, "amount": float64(o.Cents) / 100}
	d.Metadata = map[string]any{"shop": map[string]any{"customer": o.Customer}}

	reserve := newDocument(inventory, o.ReserveCall)
	reserve.Namespace = "remote"
	reserve.post("http://inventory.shop.example/reserve", map[bool]int{true: 409, false: 200}[o.Outcome == OrderOutOfStock])
	d.Subsegments = append(d.Subsegments, reserve)
	if o.ChargeCall.Ran() {
		charge := newDocument(payments, o.ChargeCall)
		charge.Namespace = "remote"
		charge.post("http://payments.shop.example/charge", o.chargeStatus())
		d.Subsegments = append(d.Subsegments, charge)
	}
	if o.SaveCall.Ran() {
		save := newDocument("DynamoDB", o.SaveCall)
		save.Namespace = "aws"
		save.AWS = map[string]any{"operation": "PutItem", "table_name": "orders", "region": "us-east-1"}
		save.HTTP = &httpData{Response: &httpResponse{Status: 200}}
		d.Subsegments = append(d.Subsegments, save)
	}
	return d
}

func (o *Order) chargeStatus() int {
	switch o.Outcome {
	case OrderDeclined:
		return 402
	case OrderTimedOut:
		return 504
	}
	return 200
}

func (e *emitter) paymentsDocument(o *Order) document {
	d := newDocument(payments, o.PaymentsSpan)
	d.TraceID, d.ParentID = o.Trace.XRay(), o.ChargeCall.ID.String()
	d.post("http://payments.shop.example/charge", o.chargeStatus())
	d.Annotations = map[string]any{"order_id": o.ID, "run": e.shop.Run}

	card := newDocument("card-network", o.CardCall)
	card.Namespace = "remote"
	card.post("https://cards.example/authorize", map[bool]int{true: 402, false: 200}[o.Outcome == OrderDeclined])
	if o.Outcome == OrderTimedOut {
		card.HTTP.Response, card.Fault = nil, true
		failed := exception{ID: o.CardCall.ID.String(), Type: "CardNetworkTimeout", Message: "no answer in 3s", Remote: true}
		card.Cause = &cause{Exceptions: []exception{failed}}
	}
	d.Subsegments = []document{card}
	return d
}

// putSegments sends the documents of orders and payments to the port where the X-Ray daemon would listen.
func (e *emitter) putSegments(ctx context.Context, m *Minute) error {
	for i := range m.Orders {
		o := &m.Orders[i]
		docs := []document{e.ordersDocument(o)}
		if o.PaymentsSpan.Ran() {
			docs = append(docs, e.paymentsDocument(o))
		}
		for _, d := range docs {
			if err := e.sendDatagram(ctx, d); err != nil {
				return err
			}
			e.ledger.documents++
		}
		e.ledger.segment(o.Trace, o.OrdersSpan.ID, o.ReserveCall.ID, o.ChargeCall.ID, o.SaveCall.ID, o.PaymentsSpan.ID, o.CardCall.ID)
	}
	return nil
}

func (e *emitter) sendDatagram(ctx context.Context, d document) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if _, err := e.segment.Write(append([]byte(segmentHeader), text...)); err != nil {
		return err
	}
	if e.datagrams++; e.datagrams%datagramBurst == 0 {
		return sleep(ctx, datagramPause)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
