// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// The shop's services.
const (
	orders    = "orders"
	payments  = "payments"
	inventory = "inventory"
)

// Outcome is how an order ended.
type Outcome int

// Outcomes.
const (
	OrderPlaced Outcome = iota
	OrderDeclined
	OrderOutOfStock
	OrderTimedOut
)

// Order is one checkout and the time that each step of it took. Times are whole milliseconds, so that sums are exact.
type Order struct {
	ID       string
	Customer string
	Cents    int
	At       time.Time
	Outcome  Outcome
	Trace    TraceID

	// The spans: those of orders and payments are X-Ray documents, those of inventory OTLP.
	OrdersSpan, ReserveCall, ChargeCall, SaveCall Span
	PaymentsSpan, CardCall                        Span
	InventorySpan, StockQuery                     Span
}

// Span is when a step ran. A step that did not run has no ID.
type Span struct {
	ID       SpanID
	At       time.Time
	Duration time.Duration
}

// End is when the step ended.
func (s Span) End() time.Time { return s.At.Add(s.Duration) }

// Ran tells whether the step was reached.
func (s Span) Ran() bool { return s.ID != SpanID{} }

// TraceID is 16 bytes that begin with the time, as X-Ray's do.
type TraceID [16]byte

// XRay writes the id in X-Ray's form.
func (t TraceID) XRay() string { return fmt.Sprintf("1-%x-%x", t[:4], t[4:]) }

// SpanID is the id of a segment, subsegment or span.
type SpanID [8]byte

func (s SpanID) String() string { return hex.EncodeToString(s[:]) }

// Minute is what happened in one minute of the shop.
type Minute struct {
	At     time.Time
	Orders []Order
	// Queue is the length of the checkout queue, measured every ten seconds.
	Queue []int
	// Stock is the fewest and the most of any article, the sum and the number of articles.
	StockMin, StockMax, StockSum, StockArticles int
}

// Shop is a run of the shop: some minutes of it that have just passed.
type Shop struct {
	// Run names it: everything sent carries it, so that runs on the same data do not mix.
	Run        string
	Start, End time.Time
	Minutes    []Minute
}

// The shop's pace, and its bad minutes.
const (
	shopMinutes     = 45
	ordersPerMinute = 20
	// slowAt is where in the run the card network is slowest, and slowWidth how many minutes it takes to recover.
	slowAt      = 0.62
	slowWidth   = 4.0
	burstWidth  = 1.5
	burstPart   = 0.45
	cardTimeout = 3 * time.Second
)

// NewShop simulates the minutes before now. The seed decides everything else.
func NewShop(seed uint64, now time.Time) *Shop {
	rng := rand.New(rand.NewPCG(seed, 0x6e657068)) //nolint:gosec // a shop that can be played again, no secret
	end := now.Truncate(time.Minute)
	shop := &Shop{Run: fmt.Sprintf("%08x", uint32(seed^seed>>32)), End: end, Start: end.Add(-shopMinutes * time.Minute)}
	stock := [...]int{120, 340, 80, 510, 260}
	number := 1000 + rng.IntN(9000)
	for m := range shopMinutes {
		minute := Minute{At: shop.Start.Add(time.Duration(m) * time.Minute)}
		distance := float64(m) - slowAt*shopMinutes
		slow := math.Exp(-distance * distance / (2 * slowWidth * slowWidth))
		burst := math.Abs(distance) < burstWidth
		wave := 1 + 0.25*math.Sin(float64(m)/6)
		for _, at := range arrivals(rng, minute.At, int(ordersPerMinute*wave)+rng.IntN(5)) {
			number++
			o := newOrder(rng, at, number, slow, burst)
			if o.Outcome == OrderPlaced {
				article := rng.IntN(len(stock))
				if stock[article]--; stock[article] < 20 {
					stock[article] += 400 // a delivery
				}
			}
			minute.Orders = append(minute.Orders, o)
		}
		for range 6 {
			minute.Queue = append(minute.Queue, rng.IntN(3)+int(14*slow*rng.Float64()))
		}
		minute.StockMin, minute.StockMax, minute.StockArticles = slices.Min(stock[:]), slices.Max(stock[:]), len(stock)
		for _, n := range stock {
			minute.StockSum += n
		}
		shop.Minutes = append(shop.Minutes, minute)
	}
	return shop
}

func arrivals(rng *rand.Rand, from time.Time, n int) []time.Time {
	out := make([]time.Time, n)
	for i := range out {
		out[i] = from.Add(time.Duration(rng.IntN(60_000)) * time.Millisecond)
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

func newOrder(rng *rand.Rand, at time.Time, number int, slow float64, burst bool) Order {
	o := Order{
		ID: fmt.Sprintf("ord-%06d", number), Customer: fmt.Sprintf("c%03d", rng.IntN(400)),
		Cents: 500 + rng.IntN(20_000), At: at, Trace: newTraceID(rng, at),
	}
	// The caller's clock and the network take a millisecond on each side of a call.
	const hop = time.Millisecond
	clock := at.Add(ms(1 + rng.IntN(3)))

	o.StockQuery = Span{newSpanID(rng), clock.Add(2 * hop), latency(rng, 9, 0.5)}
	o.InventorySpan = Span{newSpanID(rng), clock.Add(hop), o.StockQuery.Duration + ms(2+rng.IntN(4))}
	o.ReserveCall = Span{newSpanID(rng), clock, o.InventorySpan.Duration + 2*hop}
	clock = o.ReserveCall.End().Add(hop)
	switch dice := rng.Float64(); {
	case dice < 0.012:
		o.Outcome = OrderOutOfStock
	case burst && dice < burstPart:
		o.Outcome = OrderTimedOut
	case dice > 0.965:
		o.Outcome = OrderDeclined
	}
	if o.Outcome != OrderOutOfStock {
		card := min(latency(rng, 95*(1+6*slow), 0.35), cardTimeout-hop)
		if o.Outcome == OrderTimedOut {
			card = cardTimeout
		}
		o.CardCall = Span{newSpanID(rng), clock.Add(ms(3 + rng.IntN(5))), card}
		o.PaymentsSpan = Span{newSpanID(rng), clock.Add(hop), o.CardCall.End().Add(ms(1 + rng.IntN(4))).Sub(clock.Add(hop))}
		o.ChargeCall = Span{newSpanID(rng), clock, o.PaymentsSpan.Duration + 2*hop}
		clock = o.ChargeCall.End().Add(hop)
	}
	if o.Outcome == OrderPlaced {
		o.SaveCall = Span{newSpanID(rng), clock, latency(rng, 7, 0.4)}
		clock = o.SaveCall.End().Add(hop)
	}
	o.OrdersSpan = Span{newSpanID(rng), at, clock.Add(ms(rng.IntN(3))).Sub(at)}
	return o
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// latency is log-normal about the median (in milliseconds), as latencies tend to be.
func latency(rng *rand.Rand, median, sigma float64) time.Duration {
	return ms(max(1, int(math.Round(median*math.Exp(sigma*rng.NormFloat64())))))
}

func newTraceID(rng *rand.Rand, at time.Time) (id TraceID) {
	binary.BigEndian.PutUint32(id[:], uint32(at.Unix()))
	binary.BigEndian.PutUint32(id[4:], rng.Uint32())
	binary.BigEndian.PutUint64(id[8:], rng.Uint64())
	return id
}

func newSpanID(rng *rand.Rand) (id SpanID) {
	binary.BigEndian.PutUint64(id[:], cmp.Or(rng.Uint64(), 1))
	return id
}

// Orders is the number of orders of the run.
func (s *Shop) Orders() int {
	n := 0
	for _, m := range s.Minutes {
		n += len(m.Orders)
	}
	return n
}

// Status is the HTTP status that the customer saw.
func (o *Order) Status() int {
	switch o.Outcome {
	case OrderDeclined:
		return 402
	case OrderOutOfStock:
		return 409
	case OrderTimedOut:
		return 502
	}
	return 200
}
