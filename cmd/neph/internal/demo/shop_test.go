// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 11, 21, 12, 0, 30, 0, time.UTC)

func TestShopIsDecidedBySeed(t *testing.T) {
	t.Parallel()
	first, second := NewShop(7, noon), NewShop(7, noon)
	require.Equal(t, first, second)
	require.NotEqual(t, NewShop(7, noon).Run, NewShop(8, noon).Run)
}

func TestShopIsPlausible(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		shop := NewShop(seed, noon)
		require.Len(t, shop.Minutes, shopMinutes)
		require.Equal(t, noon.Truncate(time.Minute), shop.End)
		require.Greater(t, shop.Orders(), 500)
		outcomes := map[Outcome]int{}
		ids := map[any]bool{}
		once := func(id any) {
			require.False(t, ids[id], "%v twice", id)
			ids[id] = true
		}
		for _, m := range shop.Minutes {
			require.LessOrEqual(t, len(m.Orders), 150, "a datum holds 150 distinct values")
			for _, o := range m.Orders {
				outcomes[o.Outcome]++
				once(o.Trace)
				once(o.ID)
				require.False(t, o.At.Before(m.At))
				require.True(t, o.At.Before(m.At.Add(time.Minute)))
				for _, inner := range []struct{ outer, inner Span }{
					{o.OrdersSpan, o.ReserveCall},
					{o.ReserveCall, o.InventorySpan},
					{o.InventorySpan, o.StockQuery},
					{o.OrdersSpan, o.ChargeCall},
					{o.ChargeCall, o.PaymentsSpan},
					{o.PaymentsSpan, o.CardCall},
					{o.OrdersSpan, o.SaveCall},
				} {
					if !inner.inner.Ran() {
						continue
					}
					once(inner.inner.ID)
					require.False(t, inner.inner.At.Before(inner.outer.At), "%+v", o)
					require.False(t, inner.inner.End().After(inner.outer.End()), "%+v", o)
				}
				require.Equal(t, o.Outcome != OrderOutOfStock, o.PaymentsSpan.Ran())
				require.Equal(t, o.Outcome == OrderPlaced, o.SaveCall.Ran())
			}
		}
		for _, o := range []Outcome{OrderPlaced, OrderDeclined, OrderTimedOut} {
			require.Positive(t, outcomes[o], "seed %d has no outcome %d", seed, o)
		}
	}
}

func TestTraceIDs(t *testing.T) {
	t.Parallel()
	shop := NewShop(1, noon)
	o := shop.Minutes[0].Orders[0]
	require.Regexp(t, `^1-[0-9a-f]{8}-[0-9a-f]{24}$`, o.Trace.XRay())
	require.Regexp(t, `^[0-9a-f]{16}$`, o.OrdersSpan.ID.String())
}

func TestExpectedErrors(t *testing.T) {
	t.Parallel()
	e := &emitter{shop: NewShop(3, noon)}
	got := e.expectedErrors()
	timedOut, outOfStock := 0, 0
	for _, m := range e.shop.Minutes {
		for _, o := range m.Orders {
			switch o.Outcome {
			case OrderTimedOut:
				timedOut++
			case OrderOutOfStock:
				outOfStock++
			}
		}
	}
	require.Positive(t, outOfStock)
	require.Equal(t, map[errorKey]int{
		{orders, "PaymentFailed"}: timedOut, {payments, "CardNetworkTimeout"}: timedOut, {inventory, "OutOfStock"}: outOfStock,
	}, got)
}
