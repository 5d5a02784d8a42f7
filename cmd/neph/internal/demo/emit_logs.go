// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// Log groups, one for each service; a run is a stream in them.
const groupPrefix = "/shop/"

func streamOf(run string) string { return "run-" + run }

// Groups are the shop's log groups.
func Groups() []string {
	return []string{groupPrefix + orders, groupPrefix + payments, groupPrefix + inventory}
}

// logLine is what the shop's services log. The order of members is that of the JSON.
type logLine struct {
	Level      string  `json:"level"`
	Service    string  `json:"service"`
	Run        string  `json:"run"`
	Message    string  `json:"message"`
	Error      string  `json:"error,omitempty"`
	OrderID    string  `json:"order_id"`
	Customer   string  `json:"customer,omitempty"`
	Amount     float64 `json:"amount,omitempty"`
	DurationMs int64   `json:"duration_ms"`
	Status     int     `json:"status"`
	TraceID    string  `json:"trace_id"`
}

type logEvent struct {
	at   time.Time
	line logLine
}

func (e *emitter) ordersLine(o *Order) logEvent {
	line := logLine{
		Level: "INFO", Service: orders, Run: e.shop.Run, Message: "order placed", OrderID: o.ID, Customer: o.Customer,
		Amount: float64(o.Cents) / 100, DurationMs: o.OrdersSpan.Duration.Milliseconds(), Status: o.Status(), TraceID: o.Trace.XRay(),
	}
	switch o.Outcome {
	case OrderDeclined:
		line.Level, line.Message = "WARN", "payment declined"
	case OrderOutOfStock:
		line.Level, line.Message = "WARN", "out of stock"
	case OrderTimedOut:
		line.Level, line.Message, line.Error = "ERROR", "order failed: payments answered 504", "PaymentFailed"
	}
	return logEvent{o.OrdersSpan.End(), line}
}

func (e *emitter) paymentsLine(o *Order) logEvent {
	line := logLine{
		Level: "INFO", Service: payments, Run: e.shop.Run, Message: "charged", OrderID: o.ID, Amount: float64(o.Cents) / 100,
		DurationMs: o.PaymentsSpan.Duration.Milliseconds(), Status: 200, TraceID: o.Trace.XRay(),
	}
	switch o.Outcome {
	case OrderDeclined:
		line.Level, line.Message, line.Status = "WARN", "card declined", 402
	case OrderTimedOut:
		line.Level, line.Message, line.Error, line.Status = "ERROR", "card network did not answer in 3s", "CardNetworkTimeout", 504
	}
	return logEvent{o.PaymentsSpan.End(), line}
}

func (e *emitter) inventoryLine(o *Order) logEvent {
	line := logLine{
		Level: "INFO", Service: inventory, Run: e.shop.Run, Message: "reserved", OrderID: o.ID,
		DurationMs: o.InventorySpan.Duration.Milliseconds(), Status: 200, TraceID: o.Trace.XRay(),
	}
	if o.Outcome == OrderOutOfStock {
		line.Level, line.Message, line.Error, line.Status = "ERROR", "no stock left", "OutOfStock", 409
	}
	return logEvent{o.InventorySpan.End(), line}
}

// createStreams makes the groups and streams that PutLogEvents needs. Those of earlier runs may be there.
func (e *emitter) createStreams(ctx context.Context) error {
	for _, service := range []string{orders, payments} {
		var exists *types.ResourceAlreadyExistsException
		_, err := e.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(groupPrefix + service)})
		if err != nil && !errors.As(err, &exists) {
			return fmt.Errorf("create log group: %w", err)
		}
		if _, err := e.logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{
			LogGroupName: aws.String(groupPrefix + service), LogStreamName: aws.String(streamOf(e.shop.Run)),
		}); err != nil {
			return fmt.Errorf("create log stream: %w", err)
		}
	}
	return nil
}

func (e *emitter) putLogs(ctx context.Context, m *Minute) error {
	events := map[string][]logEvent{}
	for i := range m.Orders {
		o := &m.Orders[i]
		events[orders] = append(events[orders], e.ordersLine(o))
		if o.PaymentsSpan.Ran() {
			events[payments] = append(events[payments], e.paymentsLine(o))
		}
	}
	for service, list := range events {
		if err := e.putLogEvents(ctx, groupPrefix+service, list); err != nil {
			return err
		}
	}
	return nil
}

func (e *emitter) putLogEvents(ctx context.Context, group string, events []logEvent) error {
	slices.SortStableFunc(events, func(a, b logEvent) int { return a.at.Compare(b.at) })
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: &group, LogStreamName: aws.String(streamOf(e.shop.Run))}
	var messages []string
	for _, ev := range events {
		text, err := json.Marshal(ev.line)
		if err != nil {
			return err
		}
		messages = append(messages, string(text))
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{
			Timestamp: aws.Int64(ev.at.UnixMilli()), Message: aws.String(string(text)),
		})
	}
	out, err := e.logs.PutLogEvents(ctx, in)
	if err != nil {
		return err
	}
	if r := out.RejectedLogEventsInfo; r != nil {
		return fmt.Errorf("events of %s were rejected: too old before %d, too new from %d, expired before %d", group,
			aws.ToInt32(r.TooOldLogEventEndIndex), aws.ToInt32(r.TooNewLogEventStartIndex), aws.ToInt32(r.ExpiredLogEventEndIndex))
	}
	e.ledger.log(logStream{Group: group, Stream: *in.LogStreamName, How: "PutLogEvents"}, messages...)
	return nil
}

// errorKey is a row of the table of errors.
type errorKey struct{ Service, Error string }

// expectedErrors is what the table of errors is to say.
func (e *emitter) expectedErrors() map[errorKey]int {
	out := map[errorKey]int{}
	for i := range e.shop.Minutes {
		for j := range e.shop.Minutes[i].Orders {
			o := &e.shop.Minutes[i].Orders[j]
			lines := []logLine{e.ordersLine(o).line, e.inventoryLine(o).line}
			if o.PaymentsSpan.Ran() {
				lines = append(lines, e.paymentsLine(o).line)
			}
			for _, l := range lines {
				if l.Level == "ERROR" {
					out[errorKey{l.Service, l.Error}]++
				}
			}
		}
	}
	return out
}
