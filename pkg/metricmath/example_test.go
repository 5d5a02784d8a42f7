// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricmath_test

import (
	"context"
	"fmt"

	"github.com/nephoscope/nephoscope/pkg/metricmath"
)

func Example() {
	expr, err := metricmath.Parse("100 * errors / requests")
	if err != nil {
		fmt.Println(err)
		return
	}
	program, err := metricmath.Compile([]string{"errors", "requests"}, []metricmath.Query{{ID: "rate", Expr: expr}})
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := program.Evaluate(context.Background(), &metricmath.Env{
		Window: metricmath.Window{Start: 0, End: 180},
		Period: 60,
		Metrics: map[string]metricmath.Series{
			"errors":   {Period: 60, Timestamps: []int64{0, 120}, Values: []float64{1, 3}},
			"requests": {Period: 60, Timestamps: []int64{0, 60, 120}, Values: []float64{10, 20, 30}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(expr, results[0].Series[0].Label, results[0].Series[0].Timestamps, results[0].Series[0].Values)
	// Output: 100*errors/requests rate [0 60 120] [10 0 10]
}
