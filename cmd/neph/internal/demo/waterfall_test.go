// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/cmd/neph/internal/terminal"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func timedOutOrder(t *testing.T, shop *Shop) *Order {
	t.Helper()
	for i := range shop.Minutes {
		for j := range shop.Minutes[i].Orders {
			if o := &shop.Minutes[i].Orders[j]; o.Outcome == OrderTimedOut {
				return o
			}
		}
	}
	t.Fatal("no order timed out")
	return nil
}

// The documents that are sent, as they would come back, beside one of an OTLP span.
func TestWaterfallOfAnOrder(t *testing.T) {
	t.Parallel()
	e := &emitter{shop: NewShop(42, noon)}
	o := timedOutOrder(t, e.shop)
	server := newDocument(inventory, o.InventorySpan)
	server.TraceID, server.ParentID = o.Trace.XRay(), o.ReserveCall.ID.String()
	server.post("http://inventory.shop.example/reserve", 200)
	query := newDocument("stock", o.StockQuery)
	query.Type, query.Namespace, query.TraceID, query.ParentID = "subsegment", "remote", o.Trace.XRay(), server.ID

	inferred := newDocument("card-network", o.CardCall)
	inferred.ID, inferred.ParentID, inferred.Inferred = "0123456789abcdef", o.CardCall.ID.String(), true

	var docs []document
	for _, d := range []document{query, inferred, e.paymentsDocument(o), server, e.ordersDocument(o)} {
		text, err := json.Marshal(d)
		require.NoError(t, err)
		var back document
		require.NoError(t, json.Unmarshal(text, &back))
		docs = append(docs, back)
	}
	got := terminal.Waterfall{Roots: waterfall(docs), Width: 100}.Render(terminal.Style{})
	const file = "testdata/waterfall.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestWaterfallOfIncompleteTraces(t *testing.T) {
	t.Parallel()
	orphan := document{Name: "orphan", ID: "a", ParentID: "gone"}
	require.Len(t, waterfall([]document{orphan}), 1, "a parent that is missing makes a root")
	self := document{Name: "self", ID: "a", ParentID: "a"}
	require.Len(t, waterfall([]document{self, self}), 1)
	require.Empty(t, waterfall(nil))
}

func TestCauseForms(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"cause":"0123456789abcdef"}`, `{"cause":{"exceptions":[{"id":"1","type":"T"}],"working_directory":"/"}}`, `{}`,
	} {
		var d document
		require.NoError(t, json.Unmarshal([]byte(text), &d), text)
	}
}

func TestParseEpoch(t *testing.T) {
	t.Parallel()
	require.Equal(t, noon.UnixMilli(), parseEpoch(string(epoch(noon))).UnixMilli())
	require.Equal(t, int64(1478293361271), parseEpoch("1.478293361271E9").UnixMilli())
	for _, bad := range []string{"", "x", "-1", "1e300", "NaN", "Inf"} {
		require.Equal(t, time.Time{}, parseEpoch(bad), bad)
	}
}
