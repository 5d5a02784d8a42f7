// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The corpus that two other emulators use; one of them ran it against AWS.
func TestFilterLogEventsPattern(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	f.createGroup("g")
	f.createStream("g", "s")
	corpus := []string{"hello", "world", "hello world", "goodbye world", "hello cruela", "goodbye cruel world"}
	f.put("g", "s", corpus...)
	f.put("g", "s", `{"level":"ERROR","latency":75}`, `{"level":"INFO","latency":5}`)
	for pattern, want := range map[string][]string{
		"hello":               {"hello", "hello world", "hello cruela"},
		"goodbye world":       {"goodbye world", "goodbye cruel world"},
		`"hello cruel"`:       {"hello cruela"},
		`{$.message="hello"}`: nil,
		"hello -cruela":       {"hello", "hello world"},
		"?hello ?goodbye":     {"hello", "hello world", "goodbye world", "hello cruela", "goodbye cruel world"},
		`"world"`:             {"world", "hello world", "goodbye world", "goodbye cruel world"},
		`{ $.latency > 50 }`:  {`{"level":"ERROR","latency":75}`},
		`%cru[e]l%`:           {"hello cruela", "goodbye cruel world"},
		`[w=goodbye, ...]`:    {"goodbye world", "goodbye cruel world"},
	} {
		t.Run(pattern, func(t *testing.T) {
			var got []string
			in := &api.FilterLogEventsInput{LogGroupName: new("g"), FilterPattern: &pattern, Limit: new(int32(2))}
			for more := true; more; more = in.NextToken != nil {
				out, err := f.FilterLogEvents(ctx, in)
				require.NoError(t, err)
				for _, e := range out.Events {
					got = append(got, *e.Message)
				}
				in.NextToken = out.NextToken
			}
			assert.Equal(t, want, got)
		})
	}
	_, err := f.FilterLogEvents(ctx, &api.FilterLogEventsInput{LogGroupName: new("g"), FilterPattern: new("Status:")})
	wantError(t, err, "InvalidParameterException", "Invalid character(s) in term ':'")
}

func TestTestMetricFilter(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	message := `127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
	out, err := f.TestMetricFilter(ctx, &api.TestMetricFilterInput{
		FilterPattern: new("[ip, user, username, timestamp, request, status_code = 4*, bytes]"), LogEventMessages: []string{"x", message},
	})
	require.NoError(t, err)
	assert.Equal(t, []types.MetricFilterMatchRecord{{EventNumber: 1, EventMessage: &message, ExtractedValues: map[string]string{
		"$ip": "127.0.0.1", "$user": "Prod", "$username": "frank", "$timestamp": "10/Oct/2000:13:25:15 -0700",
		"$request": "GET /index.html HTTP/1.0", "$status_code": "404", "$bytes": "1534",
	}}}, out.Matches)
	out, err = f.TestMetricFilter(ctx, &api.TestMetricFilterInput{FilterPattern: new("none"), LogEventMessages: []string{"x"}})
	require.NoError(t, err)
	assert.Empty(t, out.Matches)
	_, err = f.TestMetricFilter(ctx, &api.TestMetricFilterInput{FilterPattern: new("foo(bar"), LogEventMessages: []string{"x"}})
	var wrong *types.InvalidParameterException
	require.ErrorAs(t, err, &wrong)
	_, err = f.TestMetricFilter(ctx, &api.TestMetricFilterInput{FilterPattern: new(""), LogEventMessages: slicesRepeat("x", 51)})
	wantError(t, err, "InvalidParameterException", "1 validation error detected: Value at 'logEventMessages' failed to satisfy constraint: "+
		"Member must have length less than or equal to 50")
}
