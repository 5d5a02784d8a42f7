// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"time"
)

const (
	viaEMF   = "EMF over TCP"
	emfGroup = groupPrefix + payments + "-metrics"
)

type emfDocument struct {
	AWS            emfHeader `json:"_aws"`
	Service        string    `json:"Service"`
	Run            string    `json:"Run"`
	OrderID        string    `json:"order_id"`
	ChargeLatency  int64     `json:"ChargeLatency"`
	ChargeAmount   float64   `json:"ChargeAmount"`
	ChargeFailures int       `json:"ChargeFailures"`
}

type emfHeader struct {
	Timestamp         int64          `json:"Timestamp"`
	LogGroupName      string         `json:"LogGroupName"`
	LogStreamName     string         `json:"LogStreamName"`
	CloudWatchMetrics []emfDirective `json:"CloudWatchMetrics"`
}

type emfDirective struct {
	Namespace  string      `json:"Namespace"`
	Dimensions [][]string  `json:"Dimensions"`
	Metrics    []emfMetric `json:"Metrics"`
}

type emfMetric struct {
	Name string `json:"Name"`
	Unit string `json:"Unit,omitempty"`
}

// putEMF sends a document for each charge to the port where a CloudWatch agent would listen.
func (e *emitter) putEMF(ctx context.Context, m *Minute) error {
	key := func(name string) metricKey {
		return metricKey{namespace, name, dimensions("Service", payments, "Run", e.shop.Run), viaEMF, 60}
	}
	for i := range m.Orders {
		o := &m.Orders[i]
		if !o.PaymentsSpan.Ran() {
			continue
		}
		doc := emfDocument{
			Service: payments, Run: e.shop.Run, OrderID: o.ID,
			ChargeLatency: o.PaymentsSpan.Duration.Milliseconds(), ChargeAmount: float64(o.Cents) / 100,
			AWS: emfHeader{
				Timestamp: o.PaymentsSpan.End().UnixMilli(), LogGroupName: emfGroup, LogStreamName: streamOf(e.shop.Run),
				CloudWatchMetrics: []emfDirective{{
					Namespace: namespace, Dimensions: [][]string{{"Service", "Run"}},
					Metrics: []emfMetric{
						{"ChargeLatency", "Milliseconds"}, {"ChargeAmount", ""}, {"ChargeFailures", "Count"},
					},
				}},
			},
		}
		if o.Outcome == OrderTimedOut {
			doc.ChargeFailures = 1
		}
		line, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		deadline, ok := ctx.Deadline()
		if !ok {
			deadline = time.Now().Add(dialTimeout)
		}
		if err := e.emf.SetWriteDeadline(deadline); err != nil {
			return err
		}
		if _, err := e.emf.Write(append(line, '\n')); err != nil {
			return err
		}
		e.ledger.log(logStream{Group: emfGroup, Stream: streamOf(e.shop.Run), How: viaEMF}, string(line))
		e.ledger.metric(key("ChargeLatency"), single(float64(doc.ChargeLatency)))
		e.ledger.metric(key("ChargeAmount"), single(doc.ChargeAmount))
		e.ledger.metric(key("ChargeFailures"), single(float64(doc.ChargeFailures)))
	}
	return nil
}
