// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
)

// ErrMismatch is returned when not everything that was sent came back.
var ErrMismatch = errors.New("not everything that was sent came back")

// Options of a run.
type Options struct {
	Config    aws.Config
	Addresses Addresses
	Out       terminal.Output
	// Pace is how long sending takes at least, so that it can be followed.
	Pace time.Duration
	Seed uint64
	Now  time.Time
}

// Result is what a run leaves for saying what to try next.
type Result struct {
	Run   string
	Trace string // the one that was drawn
	// Start of what was sent.
	Start time.Time
}

// Run sends the shop's telemetry, reads it back, and shows it.
func Run(ctx context.Context, o Options) (res *Result, err error) {
	shop := NewShop(o.Seed, o.Now)
	e, err := newEmitter(ctx, shop, o.Config, o.Addresses)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.close()) }()

	if err := e.send(ctx, o); err != nil {
		return nil, err
	}
	bar := terminal.NewProgress(o.Out, "reading it back through the AWS APIs")
	checks, err := e.verify(ctx, bar.Update)
	if err != nil {
		bar.Fail("")
		return nil, err
	}
	bar.Done("")
	o.Out.Println()

	r := report{emitter: e, out: o.Out}
	res = &Result{Run: shop.Run, Start: shop.Start}
	res.Trace, err = r.show(ctx)
	if err != nil {
		return nil, err
	}
	r.checks(checks)
	for _, c := range checks {
		if !c.OK {
			return res, ErrMismatch
		}
	}
	return res, nil
}

// send plays the shop's minutes.
func (e *emitter) send(ctx context.Context, o Options) error {
	bar := terminal.NewProgress(o.Out, "a shop at work, run "+e.shop.Run)
	if err := e.createStreams(ctx); err != nil {
		bar.Fail("")
		return err
	}
	step := o.Pace / time.Duration(len(e.shop.Minutes))
	orders := 0
	for i := range e.shop.Minutes {
		m := &e.shop.Minutes[i]
		began := time.Now()
		orders += len(m.Orders)
		bar.Update(float64(i)/float64(len(e.shop.Minutes)), m.At.Format("15:04")+"  "+count(orders)+" orders"+mood(m))
		if err := e.minute(ctx, m); err != nil {
			bar.Fail("")
			return err
		}
		if err := sleep(ctx, max(0, step-time.Since(began))); err != nil {
			return err
		}
	}
	events := 0
	for _, messages := range e.ledger.logs {
		events += len(messages)
	}
	bar.Done(fmt.Sprintf("%s orders in %d minutes up to %s: %s log events, %s X-Ray documents, %s spans, %d metrics",
		count(orders), len(e.shop.Minutes), e.shop.End.Format("15:04"), count(events), count(e.ledger.documents),
		count(e.ledger.spans), len(e.ledger.metrics)))
	return nil
}

// mood says what a person at the shop's desk would notice.
func mood(m *Minute) string {
	var failed int
	var card time.Duration
	for _, o := range m.Orders {
		if o.Outcome == OrderTimedOut {
			failed++
		}
		card += o.CardCall.Duration
	}
	switch {
	case failed > 2:
		return "  the card network does not answer"
	case len(m.Orders) > 0 && card/time.Duration(len(m.Orders)) > 250*time.Millisecond:
		return "  the card network is slow"
	}
	return ""
}
