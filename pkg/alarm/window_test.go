// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInterval(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		period, n int32
		want      time.Duration
		length    int
	}{
		{10, 3, 10 * time.Second, 9},
		{20, 3, 10 * time.Second, 6},
		{30, 3, 10 * time.Second, 5},
		{60, 3, time.Minute, 5},
		{300, 288, time.Minute, 290},
		{3600, 24, time.Minute, 26},
		{3600, 25, time.Hour, 27},
		{86400, 1, time.Minute, 3},
		{86400, 2, time.Hour, 4},
		{604800, 1, time.Hour, 3},
	} {
		r := mustRule(t, scalar(func(m *MetricAlarm) { m.Period, m.EvaluationPeriods = c.period, c.n }))
		assert.Equal(t, c.want, r.Interval(), "%+v", c)
		assert.Len(t, r.Window(time.Unix(1_800_000_000, 0)).Starts, c.length, "%+v", c)
	}
}

// TestWindow: the end of the newest period.
func TestWindow(t *testing.T) {
	t.Parallel()
	e1 := Query{ID: "e1", Expression: "m1 + 0"}
	m1 := func(period int32) Query {
		return Query{ID: "m1", ReturnData: new(false), Metric: &MetricStat{
			Namespace: "n", MetricName: "m", Stat: "Sum", Period: period,
		}}
	}
	period := func(p, n int32) *MetricAlarm {
		return scalar(func(m *MetricAlarm) { m.Period, m.EvaluationPeriods = p, n })
	}
	for _, c := range []struct {
		name string
		m    *MetricAlarm
		now  string
		end  string
	}{
		{"ten seconds", period(10, 3), "05:42:58.775", "05:42:40"},
		{"ten seconds, just", period(10, 3), "05:43:00.000", "05:42:50"},
		{"twenty seconds", period(20, 3), "05:42:58.775", "05:42:40"},
		{"thirty seconds", period(30, 3), "05:42:58.775", "05:42:30"},
		{"a minute", period(60, 3), "05:42:09.999", "05:41:00"},
		{"a minute, just", period(60, 3), "05:42:10.000", "05:42:00"},
		{"five minutes", period(300, 1), "17:04:40.985", "17:04:00"},
		{"days", period(86400, 2), "05:59:59.999", "05:00:00"},
		{"days, just", period(86400, 2), "05:00:00.000", "05:00:00"},
		{"math of ten seconds", mathAlarm(e1, m1(10)), "05:42:58.775", "05:42:50"},
		{"math of a minute", mathAlarm(e1, m1(60)), "05:42:00.000", "05:42:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now, err := time.Parse("2006-01-02T15:04:05.999", "2026-09-14T"+c.now)
			require.NoError(t, err)
			r := mustRule(t, c.m)
			w := r.Window(now)
			assert.Equal(t, c.end, time.Unix(w.End, 0).UTC().Format(time.TimeOnly))
			assert.True(t, w.even())
			again := Window{Starts: make([]int64, 0, 64)}
			r.WindowInto(now, &again)
			assert.Equal(t, w.Starts, again.Starts)
			assert.Equal(t, w.End, again.End)
		})
	}
}

func TestWindowOfInsights(t *testing.T) {
	t.Parallel()
	r := mustRule(t, scalar(func(m *MetricAlarm) {
		*m = *mathAlarm(Query{ID: "q1", Expression: "SELECT MAX(a) FROM b", Period: 300})
		m.EvaluationPeriods = 36
	}))
	w := r.Window(time.Unix(1_800_000_123, 0))
	assert.Len(t, w.Starts, 36)
	assert.Equal(t, w.End-3*hour, w.Starts[0])
}

func TestWallClockWindow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		zone    string
		period  int32
		now     string
		starts  []string // of the newest periods, oldest first
		end     string
		lengths []int64 // of all of them, in hours
	}{
		{
			"minutes", "", 60, "2026-03-10T12:34:56Z",
			[]string{"2026-03-10T12:31:00Z", "2026-03-10T12:32:00Z", "2026-03-10T12:33:00Z"},
			"2026-03-10T12:34:00Z", nil,
		},
		{
			"five minutes", "America/New_York", 300, "2026-03-10T12:34:56Z",
			[]string{"2026-03-10T12:20:00Z", "2026-03-10T12:25:00Z"},
			"2026-03-10T12:30:00Z", nil,
		},
		{
			"hours", "Asia/Kolkata", 3600, "2026-03-10T12:34:56Z",
			[]string{"2026-03-10T10:30:00Z", "2026-03-10T11:30:00Z"},
			"2026-03-10T12:30:00Z", nil,
		},
		{
			"hours of an offset", "UTC+05:45", 3600, "2026-03-10T12:34:56Z",
			[]string{"2026-03-10T10:15:00Z", "2026-03-10T11:15:00Z"},
			"2026-03-10T12:15:00Z", nil,
		},
		{
			"days", "America/New_York", 86400, "2026-07-10T12:00:00Z",
			[]string{"2026-07-07T04:00:00Z", "2026-07-08T04:00:00Z", "2026-07-09T04:00:00Z"},
			"2026-07-10T04:00:00Z",
			[]int64{24, 24, 24},
		},
		{
			"a day of 23 hours", "America/New_York", 86400, "2026-03-09T12:00:00Z",
			[]string{"2026-03-07T05:00:00Z", "2026-03-08T05:00:00Z"},
			"2026-03-09T04:00:00Z",
			[]int64{24, 24, 23},
		},
		{
			"a day of 25 hours", "America/New_York", 86400, "2026-11-02T12:00:00Z",
			[]string{"2026-10-31T04:00:00Z", "2026-11-01T04:00:00Z"},
			"2026-11-02T05:00:00Z",
			[]int64{24, 24, 25},
		},
		{
			"a day that begins at one", "Africa/Cairo", 86400, "2024-04-27T12:00:00Z",
			[]string{"2024-04-24T22:00:00Z", "2024-04-25T22:00:00Z"},
			"2024-04-26T21:00:00Z",
			[]int64{24, 24, 23},
		},
		{
			"a midnight that comes twice", "America/Havana", 86400, "2026-11-02T12:00:00Z",
			[]string{"2026-10-31T04:00:00Z", "2026-11-01T04:00:00Z"},
			"2026-11-02T05:00:00Z",
			[]int64{24, 24, 25},
		},
		{
			"a midnight that comes twice, by the day before", "America/Sao_Paulo", 86400, "2018-02-19T12:00:00Z",
			[]string{"2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z"},
			"2018-02-19T03:00:00Z",
			[]int64{24, 25, 24},
		},
		{
			"weeks", "Europe/Berlin", 604800, "2026-07-08T12:00:00Z",
			[]string{"2026-06-21T22:00:00Z", "2026-06-28T22:00:00Z"},
			"2026-07-05T22:00:00Z",
			[]int64{168, 168, 168},
		},
		{
			"the end of a week", "", 604800, "2026-07-13T00:00:10Z",
			[]string{"2026-06-29T00:00:00Z", "2026-07-06T00:00:00Z"},
			"2026-07-13T00:00:00Z", nil,
		},
		{
			"clocks that change by half an hour", "Australia/Lord_Howe", 3600, "2026-10-03T17:10:00Z",
			[]string{"2026-10-03T13:30:00Z", "2026-10-03T14:30:00Z", "2026-10-03T16:00:00Z"},
			"2026-10-03T17:00:00Z", nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := scalar(func(m *MetricAlarm) {
				m.Period, m.EvaluationPeriods, m.WallClock = c.period, 1, &WallClockWindow{Timezone: c.zone}
			})
			now, err := time.Parse(time.RFC3339, c.now)
			require.NoError(t, err)
			w := mustRule(t, m).Window(now)
			require.Len(t, w.Starts, 3)
			var starts []string
			for _, start := range w.Starts[3-len(c.starts):] {
				starts = append(starts, time.Unix(start, 0).UTC().Format(time.RFC3339))
			}
			assert.Equal(t, c.starts, starts)
			assert.Equal(t, c.end, time.Unix(w.End, 0).UTC().Format(time.RFC3339))
			for i, want := range c.lengths {
				end := w.End
				if i < 2 {
					end = w.Starts[i+1]
				}
				assert.Equal(t, want, (end-w.Starts[i])/hour, "period %d", i)
			}
		})
	}
}

// TestWallClockBoundaries walks through years of clocks: boundaries rise, every one is its own floor, and days begin at the
// first moment of their date.
func TestWallClockBoundaries(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{
		"UTC", "America/New_York", "Africa/Cairo", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana",
		"Asia/Beirut", "America/Asuncion", "Africa/Casablanca", "Atlantic/Azores", "Pacific/Apia",
	} {
		location, ok := loadLocation(zone)
		require.True(t, ok, zone)
		for _, period := range []int64{hour, day, week} {
			c := calendar{location: location, period: period}
			at := time.Date(2010, 1, 5, 12, 0, 0, 0, time.UTC).Unix()
			last := c.floor(at)
			for range 3_000 {
				at += 14_800 + 17*(at%7)
				start := c.floor(at)
				require.LessOrEqual(t, start, at)
				require.GreaterOrEqual(t, start, last)
				require.Equal(t, start, c.floor(start), "%s %d %s", zone, period, time.Unix(at, 0).In(location))
				require.LessOrEqual(t, at-start, period+2*hour)
				if period == hour {
					require.Zero(t, time.Unix(start, 0).In(location).Minute())
				} else {
					is, before := time.Unix(start, 0).In(location), time.Unix(start-1, 0).In(location)
					require.NotEqual(t, is.YearDay(), before.YearDay(), "%s %s", is, before)
					if period == day {
						require.Equal(t, time.Unix(at, 0).In(location).YearDay(), is.YearDay(), "%s", time.Unix(at, 0).In(location))
					} else {
						require.Equal(t, time.Monday, is.Weekday())
					}
				}
				last = start
			}
		}
	}
}

func TestLoadLocation(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "UTC", "+05:30", "-0330", "+00", "UTC+05:30", "GMT-01:00", "Europe/London", "Etc/GMT+5"} {
		_, ok := loadLocation(name)
		assert.True(t, ok, name)
	}
	for _, name := range []string{"Mars/Olympus", "Local", "+05:33", "+5", "UTC+", "+25:00", "UTC+19:00", "../etc/passwd", "+aa:bb", "UTC 5"} {
		_, ok := loadLocation(name)
		assert.False(t, ok, name)
	}
}
