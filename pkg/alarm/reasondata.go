// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// timestampFormat is that of times in all JSON documents of CloudWatch alarms.
const timestampFormat = "2006-01-02T15:04:05.000-0700"

func appendTimestamp(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, timestampFormat)
	return append(b, '"')
}

func appendSlot(b []byte, start int64) []byte { return appendTimestamp(b, time.Unix(start, 0)) }

// queryDateData is the reason data of an evaluation that has no data points to show.
func queryDateData(now time.Time) string {
	b := append(make([]byte, 0, 72), `{"version":"1.0","queryDate":`...)
	return string(append(appendTimestamp(b, now), '}'))
}

// data is the alarm's StateReasonData. What would be too long is left out at the oldest end.
func (e *evidence) data(now time.Time) string {
	shown := e.evaluated()
	real := e.real
	for {
		text := e.appendData(make([]byte, 0, 512), now, real, shown)
		if len(text) <= longestReasonData {
			return string(text)
		}
		// Lists are cut to what there is room for, with some to spare for how long their items are.
		switch {
		case len(shown) > 1:
			shown = shown[:len(shown)*3/4]
		case len(real) > 1:
			real = real[:len(real)*3/4]
		default:
			return queryDateData(now)
		}
	}
}

// evaluated are the periods that decided, newest first: points that speak for the state, then the newest of those that are
// missing.
func (e *evidence) evaluated() []evaluated {
	left := e.needed() - len(e.supporting)
	list := make([]evaluated, 0, e.needed())
	real, supporting := e.real, e.supporting
	for slot := len(e.window.Starts) - 1; slot >= 0 && left+len(supporting) > 0; slot-- {
		switch {
		case len(supporting) > 0 && supporting[0].slot == slot:
			list = append(list, supporting[0])
			supporting, real = supporting[1:], real[1:]
		case len(real) > 0 && real[0].slot == slot:
			real = real[1:]
		case left > 0:
			list = append(list, evaluated{slot: slot, missing: true})
			left--
		}
	}
	return list
}

func (e *evidence) appendData(b []byte, now time.Time, real, shown []evaluated) []byte {
	r := e.rule
	b = append(b, `{"version":"1.0","queryDate":`...)
	b = appendTimestamp(b, now)
	if len(real) > 0 {
		b = append(b, `,"startDate":`...)
		b = appendSlot(b, real[len(real)-1].point.Start)
	}
	if r.unit != "" {
		b = append(b, `,"unit":`...)
		b = appendJSON(b, r.unit)
	}
	if r.statistic != "" {
		b = append(b, `,"statistic":`...)
		b = appendJSON(b, r.statistic)
	}
	b = append(b, `,"period":`...)
	b = strconv.AppendInt(b, e.window.Period, 10)
	b = append(b, `,"recentDatapoints":`...)
	b = appendRecent(b, real, func(p *evaluated) float64 { return p.point.Value })
	b = e.appendThresholds(b, real)
	b = append(b, `,"evaluatedDatapoints":[`...)
	for i := range shown {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.appendEvaluated(b, &shown[i])
	}
	return append(b, "]}"...)
}

// appendThresholds appends the threshold, or of a band the bounds that are compared with.
func (e *evidence) appendThresholds(b []byte, real []evaluated) []byte {
	r := e.rule
	if e.bounds == nil {
		b = append(b, `,"threshold":`...)
		return appendDouble(b, r.threshold)
	}
	if r.comparison != above {
		b = append(b, `,"recentLowerThresholds":`...)
		b = appendRecent(b, real, func(p *evaluated) float64 { return e.bounds.lower[p.slot] })
	}
	if r.comparison != below {
		b = append(b, `,"recentUpperThresholds":`...)
		b = appendRecent(b, real, func(p *evaluated) float64 { return e.bounds.upper[p.slot] })
	}
	return b
}

// appendRecent lists a number of each period from the oldest point to the newest, null where there is none.
func appendRecent(b []byte, real []evaluated, of func(*evaluated) float64) []byte {
	b = append(b, '[')
	for i := range slices.Backward(real) {
		b = appendDouble(b, of(&real[i]))
		if i == 0 {
			break
		}
		for range real[i-1].slot - real[i].slot - 1 {
			b = append(b, ",null"...)
		}
		b = append(b, ',')
	}
	return append(b, ']')
}

func (e *evidence) appendEvaluated(b []byte, p *evaluated) []byte {
	b = append(b, `{"timestamp":`...)
	b = appendSlot(b, e.window.Starts[p.slot])
	if !p.missing {
		if e.rule.scalar {
			b = append(b, `,"sampleCount":`...)
			b = appendDouble(b, p.point.SampleCount)
		}
		b = append(b, `,"value":`...)
		b = appendDouble(b, p.point.Value)
		switch e.rule.comparison {
		case below:
			b = append(b, `,"threshold":`...)
			b = appendDouble(b, e.bounds.lower[p.slot])
		case above:
			b = append(b, `,"threshold":`...)
			b = appendDouble(b, e.bounds.upper[p.slot])
		}
	}
	return append(b, '}')
}

// appendJSON appends a string, with no more escapes than JSON needs.
func appendJSON(b []byte, s string) []byte {
	out := bytes.NewBuffer(b)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return append(b, `""`...) // strings are always encoded
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
