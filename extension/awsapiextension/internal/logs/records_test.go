// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"strconv"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/logsinsights"
)

func TestGetLogRecord(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	const line = "REPORT RequestId: 0a1b2c3d-0000-4000-8000-000000000002\tDuration: 1394.60 ms\tBilled Duration: 1395 ms\tMemory Size: 128 MB\tMax Memory Used: 79 MB\t\n"
	f.createGroup("/aws/lambda/fn")
	f.createStream("/aws/lambda/fn", "s")
	f.put("/aws/lambda/fn", "s", "before", line, "behind")
	ms := strconv.FormatInt(f.clock.ms(), 10)
	start, err := f.StartQuery(ctx, &api.StartQueryInput{
		LogGroupName: new("/aws/lambda/fn"), QueryString: new(`filter @type = "REPORT"`), StartTime: new(f.clock.ms()/1000 - 1), EndTime: new(f.clock.ms()/1000 + 1),
	})
	require.NoError(t, err)
	_, results := f.results(*start.QueryId)
	require.Len(t, results.Results, 1)
	cells := results.Results[0]
	pointer := cells[len(cells)-1].Value
	require.Equal(t, "@ptr", *cells[len(cells)-1].Field)

	out, err := f.GetLogRecord(ctx, &api.GetLogRecordInput{LogRecordPointer: pointer})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"@timestamp": ms, "@ingestionTime": ms, "@log": "123456789012:/aws/lambda/fn", "@logStream": "s", "@message": line, "@ptr": *pointer,
		"@type": "REPORT", "@requestId": "0a1b2c3d-0000-4000-8000-000000000002", "@duration": "1394.6", "@billedDuration": "1395.0",
		"@memorySize": "1.28E8", "@maxMemoryUsed": "7.9E7",
	}, out.LogRecord)

	other, err := logsinsights.ParsePtr(*pointer)
	require.NoError(t, err)
	for _, c := range []struct {
		change        func(p *logsinsights.Pointer)
		code, message string
	}{
		{func(p *logsinsights.Pointer) { p.Seq += 1000 }, "ResourceNotFoundException", "The specified log record does not exist."},
		{func(p *logsinsights.Pointer) { p.Account = "210987654321" }, "ResourceNotFoundException", "The specified log record does not exist."},
		{func(p *logsinsights.Pointer) { p.Group = "none" }, "ResourceNotFoundException", "The specified log group does not exist."},
	} {
		p := other
		c.change(&p)
		_, err := f.GetLogRecord(ctx, &api.GetLogRecordInput{LogRecordPointer: new(p.String())})
		wantError(t, err, c.code, c.message)
	}
	_, err = f.GetLogRecord(ctx, &api.GetLogRecordInput{LogRecordPointer: new("x")})
	wantError(t, err, "InvalidParameterException", "The specified logRecordPointer is invalid.")
	// What is deleted cannot be had by its pointer.
	_, err = f.DeleteLogStream(ctx, &api.DeleteLogStreamInput{LogGroupName: new("/aws/lambda/fn"), LogStreamName: new("s")})
	require.NoError(t, err)
	_, err = f.GetLogRecord(ctx, &api.GetLogRecordInput{LogRecordPointer: pointer})
	wantError(t, err, "ResourceNotFoundException", "The specified log record does not exist.")
}

func TestGetLogGroupFields(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	f.createGroup("g")
	f.createStream("g", "s")
	first := f.clock.ms() / 1000
	f.put("g", "s", `{"a":1,"b":{"c":true}}`, `{"a":"x"}`, "text")
	get := func(in api.GetLogGroupFieldsInput) map[string]int32 {
		t.Helper()
		in.LogGroupName = new("g")
		out, err := f.GetLogGroupFields(ctx, &in)
		require.NoError(t, err)
		got := map[string]int32{}
		last := int32(100)
		for _, field := range out.LogGroupFields {
			assert.LessOrEqual(t, field.Percent, last)
			last = field.Percent
			got[*field.Name] = field.Percent
		}
		return got
	}
	want := map[string]int32{"@ingestionTime": 100, "@log": 100, "@logStream": 100, "@message": 100, "@timestamp": 100, "a": 66, "b.c": 33}
	assert.Equal(t, want, get(api.GetLogGroupFieldsInput{}))
	f.clock.advance(16 * time.Minute)
	assert.Empty(t, get(api.GetLogGroupFieldsInput{}))
	assert.Equal(t, want, get(api.GetLogGroupFieldsInput{Time: new(first + 7*60)}))
	assert.Equal(t, want, get(api.GetLogGroupFieldsInput{Time: new((first - 7*60) * 1000)}))
	assert.Empty(t, get(api.GetLogGroupFieldsInput{Time: new(first + 9*60)}))
	_, err := f.GetLogGroupFields(ctx, &api.GetLogGroupFieldsInput{LogGroupName: new("none")})
	wantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
}

// The position before an event's is a place to scan from, also at the begin of the numbers.
func TestFirstRecord(t *testing.T) {
	f := newEvents(t, 1)
	found := 0
	_, err := f.db.ScanLogs(t.Context(), store.LogScan{LogSelection: store.LogSelection{
		Tenant: testTenant, Groups: []store.LogGroupRange{{Group: "g"}}, End: maxTime,
	}, After: &store.LogPosition{Timestamp: f.clock.ms(), Ingested: f.clock.ms(), Seq: -1}}, func(*store.LogRecord) bool { found++; return true })
	require.NoError(t, err)
	assert.Equal(t, 1, found)
}
