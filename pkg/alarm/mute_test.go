// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestMuteDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"PT1M": time.Minute, "P15D": 15 * 24 * time.Hour, "PT4H": 4 * time.Hour, "P2DT12H": 60 * time.Hour, "P7D": 7 * 24 * time.Hour,
		"PT90M": 90 * time.Minute, "P1W": 7 * 24 * time.Hour, "PT3600S": time.Hour, "P1DT1H1M1S": 25*time.Hour + time.Minute + time.Second,
		"PT0H": 0,
	} {
		got, err := parseMuteDuration(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "P", "PT", "P1", "1D", "P1M", "P1Y", "PT1D", "P1H", "P1DT", "PT1M1H", "P1D1D", "PT1.5H", "pt1m", "P-1D", "PT1M ", "PTT1M", "P1DT1HT1M",
		"PT9999999999S", "P99999999D", "PT31H99999999M",
	} {
		_, err := parseMuteDuration(text)
		require.Error(t, err, text)
	}
}

func TestMuteWindows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression, duration, zone string
		at                         string // a time, and the window that holds it
		start, end                 string
	}{
		{"cron(0 2 * * *)", "PT4H", "", "2026-09-14T01:59:59Z", "", ""},
		{"cron(0 2 * * *)", "PT4H", "", "2026-09-14T02:00:00Z", "2026-09-14T02:00:00Z", "2026-09-14T06:00:00Z"},
		{"cron(0 2 * * *)", "PT4H", "", "2026-09-14T05:59:59.999Z", "2026-09-14T02:00:00Z", "2026-09-14T06:00:00Z"},
		{"cron(0 2 * * *)", "PT4H", "", "2026-09-14T06:00:00Z", "", ""},
		{"cron(0 18 * * FRI)", "P2DT12H", "Asia/Tokyo", "2026-09-13T20:59:00Z", "2026-09-11T09:00:00Z", "2026-09-13T21:00:00Z"},
		{"cron(0 18 * * fri)", "P2DT12H", "Asia/Tokyo", "2026-09-13T21:00:00Z", "", ""},
		{"cron(0 1 1 * *)", "PT6H", "", "2026-09-01T06:00:00Z", "2026-09-01T01:00:00Z", "2026-09-01T07:00:00Z"},
		{"cron(0 0 1 JAN,jul *)", "P7D", "", "2026-07-07T00:00:00Z", "2026-07-01T00:00:00Z", "2026-07-08T00:00:00Z"},
		{"cron(0 0 31 2 *)", "P15D", "", "2026-03-03T00:00:00Z", "", ""},
		{"cron(0 0 29 2 *)", "P1D", "", "2028-02-29T12:00:00Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"},
		{"cron(30 8-17 * * MON-FRI)", "PT20M", "", "2026-09-14T17:31:00Z", "2026-09-14T17:30:00Z", "2026-09-14T17:50:00Z"},
		{"cron(30 8-17 * * MON-FRI)", "PT20M", "", "2026-09-13T17:31:00Z", "", ""},
		// As in every cron, one of the two days is enough when both are given.
		{"cron(0 0 13 * 5)", "P1D", "", "2026-09-13T12:00:00Z", "2026-09-13T00:00:00Z", "2026-09-14T00:00:00Z"},
		{"cron(0 0 13 * 5)", "P1D", "", "2026-09-18T12:00:00Z", "2026-09-18T00:00:00Z", "2026-09-19T00:00:00Z"},
		{"cron(0 0 * * 0)", "P1D", "", "2026-09-13T12:00:00Z", "2026-09-13T00:00:00Z", "2026-09-14T00:00:00Z"},
		{"cron(0 0 * * 7)", "P1D", "", "2026-09-13T12:00:00Z", "2026-09-13T00:00:00Z", "2026-09-14T00:00:00Z"},
		// Of windows that overlap it is the last.
		{"cron(0 * * * *)", "PT3H", "", "2026-09-14T12:30:00Z", "2026-09-14T12:00:00Z", "2026-09-14T15:00:00Z"},
		{"at(2026-09-14T14:00)", "PT1H", "America/New_York", "2026-09-14T18:30:00Z", "2026-09-14T18:00:00Z", "2026-09-14T19:00:00Z"},
		{"at(2026-09-14T14:00)", "PT1H", "America/New_York", "2026-09-14T19:00:00Z", "", ""},
		// On 29 March 2026 the clocks of Berlin go from 2:00 to 3:00, and there is no 2:30; on 25 October from 3:00 to 2:00,
		// and 2:30 comes twice.
		{"cron(30 2 * * *)", "PT1H", "Europe/Berlin", "2026-03-29T01:45:00Z", "", ""},
		{"cron(30 2 * * *)", "PT10M", "Europe/Berlin", "2026-10-25T00:35:00Z", "2026-10-25T00:30:00Z", "2026-10-25T00:40:00Z"},
		{"cron(30 2 * * *)", "PT10M", "Europe/Berlin", "2026-10-25T01:35:00Z", "", ""},
		{"cron(30 * * * *)", "PT10M", "Europe/Berlin", "2026-10-25T01:35:00Z", "2026-10-25T01:30:00Z", "2026-10-25T01:40:00Z"},
		// On 6 September 2026 the clocks of Santiago go from midnight to 1:00.
		{"cron(0 12 5 9 *)", "P2D", "America/Santiago", "2026-09-06T20:00:00Z", "2026-09-05T16:00:00Z", "2026-09-07T16:00:00Z"},
	} {
		s, err := parseMuteRule(&MuteRule{Name: "r", Expression: c.expression, Duration: c.duration, Timezone: c.zone})
		require.NoError(t, err, c.expression)
		start, end, ok := s.window(parse(t, c.at))
		assert.Equal(t, c.start != "", ok, "%s at %s", c.expression, c.at)
		if ok && c.start != "" {
			assert.Equal(t, parse(t, c.start), start, "%s at %s", c.expression, c.at)
			assert.Equal(t, parse(t, c.end), end, "%s at %s", c.expression, c.at)
		}
	}
}

func parse(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	require.NoError(t, err)
	return at.UTC()
}

func TestMuteRuleErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change  func(*MuteRule)
		message string
	}{
		{func(r *MuteRule) { r.Name = "" }, "Name must have from 1 to 255 characters"},
		{func(r *MuteRule) { r.Name = strings.Repeat("é", 256) }, "Name must have from 1 to 255 characters"},
		{func(r *MuteRule) { r.Description = new(strings.Repeat("x", 1025)) }, "Description must have at most 1024 characters"},
		{func(r *MuteRule) { r.Expression = "" }, "Expression must have from 1 to 256 characters"},
		{func(r *MuteRule) { r.Duration = "" }, "Duration must have from 1 to 50 characters"},
		{func(r *MuteRule) { r.Timezone = strings.Repeat("x", 51) }, "Timezone must have from 1 to 50 characters"},
		{func(r *MuteRule) { r.AlarmNames = make([]string, 101) }, "AlarmNames must have at most 100 names"},
		{func(r *MuteRule) { r.AlarmNames = []string{""} }, "AlarmNames must not have an empty name"},
		{func(r *MuteRule) { r.Tags = make([]Tag, 51) }, "Tags must have at most 50 tags"},
		{func(r *MuteRule) { r.Timezone = "Mars/Olympus" }, `Timezone "Mars/Olympus" is not the name of a time zone`},
		{func(r *MuteRule) { r.Timezone = "Local" }, `Timezone "Local" is not the name of a time zone`},
		{func(r *MuteRule) { r.Timezone = "../UTC" }, `Timezone "../UTC" is not the name of a time zone`},
		{func(r *MuteRule) { r.Duration = "PT30S" }, `Duration "PT30S" must be from PT1M to P15D`},
		{func(r *MuteRule) { r.Duration = "P15DT1M" }, `Duration "P15DT1M" must be from PT1M to P15D`},
		{func(r *MuteRule) { r.Duration = "1h" }, `Duration "1h" is not of ISO 8601, from PT1M to P15D`},
		{func(r *MuteRule) { r.Expression = "rate(5 minutes)" }, `Expression "rate(5 minutes)" must be cron(…) or at(…)`},
		{func(r *MuteRule) { r.Expression = "cron(0 0 * * *" }, `Expression "cron(0 0 * * *" must be cron(…) or at(…)`},
		{func(r *MuteRule) { r.Expression = "at(2026-09-14T14:00:00)" }, `Expression "at(2026-09-14T14:00:00)" must be at(yyyy-MM-ddTHH:mm)`},
		{func(r *MuteRule) { r.Expression = "at(2026-02-30T14:00)" }, `Expression "at(2026-02-30T14:00)" must be at(yyyy-MM-ddTHH:mm)`},
		{
			func(r *MuteRule) { r.Expression = "cron(0 0 * * ? *)" },
			"Expression cron(0 0 * * ? *) must have 5 fields: Minutes Hours Day-of-month Month Day-of-week",
		},
		{
			func(r *MuteRule) { r.Expression = "cron(60 0 * * *)" },
			`Value "60" of field Minutes is not a number from 0 to 59, a name, a range of two, or *`,
		},
		{func(r *MuteRule) { r.ExpireDate = r.StartDate }, "ExpireDate must be after StartDate"},
	} {
		r := MuteRule{Name: "r", Expression: "cron(0 2 * * *)", Duration: "PT4H", StartDate: &noon}
		c.change(&r)
		requireError(t, ValidateMuteRule(&r), "ValidationError", c.message)
		assert.Equal(t, MuteExpired, r.Status(noon))
	}
	for _, bad := range []string{"*/5", "5-", "-5", "5-4", "1,,2", "1-2-3", "+1", "FRI-MON", "1,*", "L", "SUN-", ""} {
		_, err := parseCron("0 0 * * " + bad)
		require.Error(t, err, bad)
	}
}

func TestMuteStatus(t *testing.T) {
	t.Parallel()
	hour := func(h int) *time.Time { return new(noon.Add(time.Duration(h) * time.Hour)) }
	for _, c := range []struct {
		rule MuteRule
		at   int // hours after noon
		want MuteStatus
	}{
		{MuteRule{Expression: "at(2026-09-14T13:00)", Duration: "PT2H"}, 0, MuteScheduled},
		{MuteRule{Expression: "at(2026-09-14T13:00)", Duration: "PT2H"}, 1, MuteActive},
		{MuteRule{Expression: "at(2026-09-14T13:00)", Duration: "PT2H"}, 3, MuteExpired},
		{MuteRule{Expression: "cron(0 13 * * *)", Duration: "PT2H"}, 3, MuteScheduled},
		{MuteRule{Expression: "cron(0 13 * * *)", Duration: "PT2H", ExpireDate: hour(2)}, 1, MuteActive},
		{MuteRule{Expression: "cron(0 13 * * *)", Duration: "PT2H", ExpireDate: hour(2)}, 2, MuteExpired},
		{MuteRule{Expression: "cron(0 13 * * *)", Duration: "PT2H", StartDate: hour(2)}, 1, MuteScheduled},
		{MuteRule{Expression: "cron(0 13 * * *)", Duration: "PT2H", StartDate: hour(2)}, 2, MuteActive},
	} {
		c.rule.Name = "r"
		assert.Equal(t, c.want, c.rule.Status(noon.Add(time.Duration(c.at)*time.Hour)), "%+v", c)
	}
	assert.Equal(t, MuteOneTime, (&MuteRule{Expression: "at(2026-09-14T13:00)"}).Type())
	assert.Equal(t, MuteRecurring, (&MuteRule{Expression: "cron(0 0 * * *)"}).Type())
	assert.Equal(t, "arn:aws-cn:cloudwatch:cn-north-1:1:alarm-mute-rule:r", MuteRuleARN(cloudwatch.Tenant{Account: "1", Region: "cn-north-1"}, "r"))
}

// From one minute past noon to five past.
func muting(names ...string) MuteRule {
	return MuteRule{Name: "r", Expression: "at(2026-09-14T12:01)", Duration: "PT4M", AlarmNames: names}
}

// The scenarios of AWS's page on mute rules, and more of them.
func TestMuting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		rules []MuteRule
		do    func(s *scenario)
		want  []string
	}{
		{"back in OK when it ends", []MuteRule{muting("a")}, func(s *scenario) {
			s.set("a", StateAlarm)
			s.at(4 * time.Minute)
			s.set("a", StateOK)
		}, []string{"2m0s a state OK>ALARM muted 1m0s-5m0s", "4m0s a state ALARM>OK muted 1m0s-5m0s", "5m0s a actions ALARM>OK fine after mute"}},
		{
			"in the same state when it ends",
			[]MuteRule{muting("a")},
			func(s *scenario) { s.set("a", StateAlarm) },
			[]string{"2m0s a state OK>ALARM muted 1m0s-5m0s", "5m0s a actions OK>ALARM topic after mute"},
		},
		{"another alarm", []MuteRule{muting("b", "x")}, func(s *scenario) { s.set("a", StateAlarm) }, []string{"2m0s a state OK>ALARM topic"}},
		{"two rules", []MuteRule{muting("a"), {Name: "s", Expression: "cron(4 * * * *)", Duration: "PT3M", AlarmNames: []string{"a", "a"}}}, func(s *scenario) {
			s.set("a", StateAlarm)
		}, []string{"2m0s a state OK>ALARM muted 1m0s-5m0s", "7m0s a actions OK>ALARM topic after mute"}},
		{"the rule is deleted", []MuteRule{muting("a")}, func(s *scenario) {
			s.set("a", StateAlarm)
			s.at(3 * time.Minute)
			s.add(s.e.DeleteMuteRule(tester, "r", s.now))
			s.add(s.e.DeleteMuteRule(tester, "r", s.now))
		}, []string{"2m0s a state OK>ALARM muted 1m0s-5m0s", "3m0s a actions OK>ALARM topic after mute"}},
		{"the rule has other alarms now", []MuteRule{muting("a", "b")}, func(s *scenario) {
			s.set("a", StateAlarm)
			s.set("b", StateAlarm)
			s.add(s.e.PutMuteRule(tester, muting("b"), s.now))
		}, []string{
			"2m0s a state OK>ALARM muted 1m0s-5m0s", "2m0s b state OK>ALARM muted 1m0s-5m0s",
			"2m0s a actions OK>ALARM topic after mute", "5m0s b actions OK>ALARM topic after mute",
		}},
		{"the rule is longer now", []MuteRule{muting("a")}, func(s *scenario) {
			s.set("a", StateAlarm)
			r := muting("a")
			r.Duration = "PT5M"
			s.add(s.e.PutMuteRule(tester, r, s.now))
		}, []string{"2m0s a state OK>ALARM muted 1m0s-5m0s", "6m0s a actions OK>ALARM topic after mute"}},
		{"the actions are disabled when it ends", []MuteRule{muting("a")}, func(s *scenario) {
			s.set("a", StateAlarm)
			s.add(s.e.SetActionsEnabled(tester, []string{"a"}, false, s.now))
		}, []string{"2m0s a state OK>ALARM muted 1m0s-5m0s", "2m0s a updated"}},
		{"the actions were disabled before", []MuteRule{muting("a")}, func(s *scenario) {
			s.add(s.e.SetActionsEnabled(tester, []string{"a"}, false, s.now))
			s.set("a", StateAlarm)
			s.add(s.e.SetActionsEnabled(tester, []string{"a"}, true, s.now))
		}, []string{"2m0s a updated", "2m0s a state OK>ALARM muted 1m0s-5m0s", "2m0s a updated"}},
		{"a suppression ends in it", []MuteRule{muting("c")}, func(s *scenario) { s.set("a", StateAlarm) }, []string{
			"2m0s a state OK>ALARM topic", "2m0s c state OK>ALARM by WaitPeriod muted 1m0s-5m0s",
			"2m30s c state ALARM>ALARM muted 1m0s-5m0s", "5m0s c actions OK>ALARM topic after mute",
		}},
		{"a suppression ends after it", []MuteRule{muting("c")}, func(s *scenario) {
			s.at(4*time.Minute + 45*time.Second)
			s.set("a", StateAlarm)
		}, []string{
			"4m45s a state OK>ALARM topic", "4m45s c state OK>ALARM by WaitPeriod muted 1m0s-5m0s",
			"5m15s c state ALARM>ALARM", "5m15s c actions OK>ALARM topic",
		}},
		{"Auto Scaling", []MuteRule{muting("scale")}, func(s *scenario) { s.set("scale", StateAlarm) }, []string{
			"2m0s scale state NONE>ALARM muted 1m0s-5m0s", "5m0s scale actions NONE>ALARM p after mute",
			"6m0s scale actions ALARM>ALARM p", "7m0s scale actions ALARM>ALARM p", "8m0s scale actions ALARM>ALARM p",
		}},
		{"before it begins", []MuteRule{muting("a")}, func(s *scenario) {
			s.set("a", StateAlarm)
			s.set("a", StateOK)
		}, []string{
			"2m0s a state OK>ALARM muted 1m0s-5m0s", "2m0s a state ALARM>OK muted 1m0s-5m0s", "5m0s a actions ALARM>OK fine after mute",
		}},
	} {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, restarts), func(t *testing.T) {
				t.Parallel()
				s := newScenario(t, EngineSettings{})
				for _, name := range []string{"a", "b"} {
					s.put(manual(name))
					s.set(name, StateOK)
				}
				scale := manual("scale")
				scale.AlarmActions = []string{policy}
				s.put(scale)
				s.put(manual("never"))
				d := composite("c", "ALARM(a)")
				d.Composite.ActionsSuppressor, d.Composite.WaitPeriod, d.Composite.ExtensionPeriod = "never", new(int32(30)), new(int32(30))
				if strings.Contains(c.name, "suppression") {
					s.put(d)
				}
				s.at(time.Minute)
				for _, r := range c.rules {
					s.add(s.e.PutMuteRule(tester, r, s.now))
				}
				s.since()
				s.restarts = restarts
				s.at(2 * time.Minute)
				c.do(s)
				s.at(8*time.Minute + 10*time.Second)
				assert.Equal(t, c.want, s.since())
			})
		}
	}
}

func TestMuteRulesAreKept(t *testing.T) {
	t.Parallel()
	e := NewEngine(EngineSettings{})
	r := muting("a")
	r.Tags = []Tag{{"k", "v"}}
	for _, name := range []string{"r2", "r1"} {
		r.Name = name
		_, err := e.PutMuteRule(tester, r, noon)
		require.NoError(t, err)
	}
	r.Tags = nil
	_, err := e.PutMuteRule(tester, r, noon.Add(time.Hour))
	require.NoError(t, err)
	got, ok := e.MuteRule(tester, "r1")
	require.True(t, ok)
	assert.Equal(t, noon.Add(time.Hour), got.LastUpdated)
	assert.Equal(t, []Tag{{"k", "v"}}, got.Tags, "tags are those of the creation")
	all := e.MuteRules(tester)
	require.Len(t, all, 2)
	assert.Equal(t, "r1", all[0].Name)
	_, ok = e.MuteRule(tester, "unknown")
	assert.False(t, ok)
	assert.Nil(t, e.MuteRules(cloudwatch.Tenant{}))
	require.Error(t, e.RestoreMuteRule(tester, MuteRule{}))
	for _, name := range []string{"r2", "r1"} {
		_, err := e.DeleteMuteRule(tester, name, noon)
		require.NoError(t, err)
	}
	assert.Empty(t, e.tenants)
	assert.Zero(t, e.mutes)
}

func FuzzMuteRule(f *testing.F) {
	for _, s := range []string{"cron(0 2 * * *)", "cron(0 18 1-7,15 JAN-MAR FRI)", "at(2026-09-14T14:00)", "cron(* * 29 2 *)"} {
		f.Add(s, "PT1M", "UTC", int64(1789387200))
		f.Add(s, "P15D", "Europe/Berlin", int64(1774746000))
		f.Add(s, "P1DT30M", "Australia/Lord_Howe", int64(1774746000))
	}
	f.Fuzz(func(t *testing.T, expression, duration, zone string, secs int64) {
		r := &MuteRule{Name: "r", Expression: expression, Duration: duration, Timezone: zone}
		s, err := parseMuteRule(r)
		if err != nil {
			return
		}
		at := time.Unix(secs%(1<<33), 0)
		start, end, ok := s.window(at)
		if !ok {
			return
		}
		if at.Before(start) || !at.Before(end) || end.Sub(start) != s.duration {
			t.Fatalf("%s for %s at %s: %s to %s", expression, duration, at, start, end)
		}
		// It is the same window in all of its first minute, and the start matches the expression.
		again, _, ok := s.window(start)
		if !ok || !again.Equal(start) {
			t.Fatalf("%s for %s: %s and %s", expression, duration, start, again)
		}
		if c, local := s.cron, start.In(s.location); c != nil && (!c.matchesDay(local) || c.hours&(1<<local.Hour()) == 0 || c.minutes&(1<<local.Minute()) == 0) {
			t.Fatalf("%s does not begin at %s", expression, local)
		}
	})
}

// TestMuteAgainstEveryMinute compares with looking at every minute.
func TestMuteAgainstEveryMinute(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{"17 3 * * *", "0,30 * 1 * 1", "59 23 28-31 2,3 *", "5 0-2 * * SUN", "* 1 29 MAR *", "0 2 25 10 *"} {
		for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"} {
			c, err := parseCron(expression)
			require.NoError(t, err)
			location, err := time.LoadLocation(zone)
			require.NoError(t, err)
			for _, day := range []time.Time{time.Date(2026, 3, 27, 0, 0, 0, 0, location), time.Date(2026, 10, 23, 0, 0, 0, 0, location)} {
				var latest time.Time
				for at := day.Add(-time.Hour); at.Before(day.AddDate(0, 0, 4)); at = at.Add(time.Minute) {
					if c.matchesDay(at) && c.hours&(1<<at.Hour()) != 0 && c.minutes&(1<<at.Minute()) != 0 && (c.anyHour || !repeated(at)) {
						latest = at
					}
					if at.Minute()%7 != 0 || at.Before(day) {
						continue
					}
					got, ok := c.latest(at, at.Sub(day))
					if ok != !latest.Before(day) || ok && !got.Equal(latest) {
						t.Fatalf("%s in %s at %s: %s, not %s", expression, zone, at, got, latest)
					}
				}
			}
		}
	}
}
