// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Limits of what an alarm says of its state.
const (
	longestReason     = 1023
	longestReasonData = 4000
)

// evidence is what a verdict comes from.
type evidence struct {
	rule   *Rule
	window *Window
	bounds *bounds
	state  State
	// real are the points that were evaluated, newest first, supporting those of them that speak for the state, as many as
	// are needed.
	real, supporting []evaluated
	contributor      bool
}

// evaluated is a period that was evaluated.
type evaluated struct {
	slot    int
	point   Point
	missing bool // it has no point
}

// explain collects what speaks for a state that was decided.
func (r *Rule) explain(w *Window, points []Point, b *bounds, state State) *evidence {
	e := &evidence{rule: r, window: w, bounds: b, state: state}
	needed := e.needed()
	k := r.walk(w, points, b)
	for k.step() {
		p := evaluated{slot: k.slot, point: k.point}
		e.real = append(e.real, p)
		speaks := state == StateAlarm && k.breaching || state == StateOK && !k.breaching
		if speaks && !k.low && len(e.supporting) < needed {
			e.supporting = append(e.supporting, p)
		}
	}
	return e
}

// needed is how many points a state takes.
func (e *evidence) needed() int {
	if e.state == StateOK {
		return e.rule.evaluationPeriods - e.rule.datapoints + 1
	}
	return e.rule.datapoints
}

// inlinePoints is how many points a reason names all of; of more it names the newest listedPoints.
const (
	inlinePoints = 4
	listedPoints = 5
)

// reason is the alarm's StateReason.
func (e *evidence) reason() string {
	b := make([]byte, 0, 256)
	r := e.rule
	if e.state == StateInsufficientData {
		b = append(b, "Insufficient Data: "...)
		b = appendCount(b, r.evaluationPeriods, "datapoint")
		return string(append(b, wasOrWere(r.evaluationPeriods)+" unknown."...))
	}
	if r.band != nil {
		b = append(b, "Thresholds Crossed: "...)
	} else {
		b = append(b, "Threshold Crossed: "...)
	}
	n := len(e.supporting)
	if n == 0 {
		return string(append(e.appendFilled(e.appendReceived(b)), '.'))
	}
	if r.datapointsGiven {
		b = strconv.AppendInt(b, int64(n), 10)
		b = append(b, " out of the last "...)
		b = strconv.AppendInt(b, int64(r.evaluationPeriods), 10)
		b = append(b, " datapoints"...)
	} else {
		b = appendCount(b, n, "datapoint")
	}
	inline := n <= inlinePoints && !e.contributor
	if inline {
		b = e.appendPoints(append(b, ' '), e.supporting)
	}
	b = append(b, wasOrWere(n)...)
	b = e.appendComparison(append(b, ' '), inline)
	b = e.appendFilled(b)
	if !inline {
		b = e.appendRecent(b)
	}
	if r.datapointsGiven {
		b = append(b, " (minimum "...)
		b = appendCount(b, e.needed(), "datapoint")
		if e.state == StateAlarm {
			b = append(b, " for OK -> ALARM transition)"...)
		} else {
			b = append(b, " for ALARM -> OK transition)"...)
		}
	}
	return truncate(string(append(b, '.')), longestReason)
}

// appendReceived says how much data there was, none of which speaks for the state.
func (e *evidence) appendReceived(b []byte) []byte {
	n := len(e.real)
	if n == 0 {
		b = append(b, "no datapoints were"...)
	} else {
		b = appendCount(b, n, "datapoint")
		b = append(b, wasOrWere(n)...)
	}
	b = append(b, " received for "...)
	return appendCount(b, e.rule.evaluationPeriods, "period")
}

// appendFilled says what missing periods counted as.
func (e *evidence) appendFilled(b []byte) []byte {
	missing := e.rule.evaluationPeriods - len(e.real)
	treated := ""
	switch e.rule.missing {
	case Breaching:
		treated = "Breaching"
	case NotBreaching:
		treated = "NonBreaching"
	}
	if missing == 0 || treated == "" {
		return b
	}
	b = append(b, " and "...)
	b = appendCount(b, missing, "missing datapoint")
	return append(b, wasOrWere(missing)+" treated as ["+treated+"]"...)
}

func (e *evidence) appendPoints(b []byte, points []evaluated) []byte {
	b = append(b, '[')
	for i, p := range points {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendDouble(b, p.point.Value)
		b = append(b, " ("...)
		b = time.Unix(p.point.Start, 0).UTC().AppendFormat(b, "02/01/06 15:04:05")
		b = append(b, ')')
	}
	return append(b, ']')
}

var comparisonPhrases = map[comparison]string{
	greaterOrEqual: "greater than or equal to",
	greater:        "greater than",
	less:           "less than",
	lessOrEqual:    "less than or equal to",
}

// appendComparison says how the points compare; with the bounds of each of them when they are named.
func (e *evidence) appendComparison(b []byte, inline bool) []byte {
	not := ""
	if e.state == StateOK {
		not = "not "
	}
	r := e.rule
	if !r.comparison.ofBand() {
		b = append(b, not+comparisonPhrases[r.comparison]+" the threshold ("...)
		return append(appendDouble(b, r.threshold), ')')
	}
	if r.comparison != above {
		b = append(b, not+"less than the lower thresholds"...)
		b = e.appendBounds(b, e.bounds.lower, inline)
	}
	if r.comparison == outside {
		b = append(b, " or "...)
	}
	if r.comparison != below {
		b = append(b, not+"greater than the upper thresholds"...)
		b = e.appendBounds(b, e.bounds.upper, inline)
	}
	return b
}

func (e *evidence) appendBounds(b []byte, values []float64, inline bool) []byte {
	if !inline {
		return b
	}
	b = append(b, " ["...)
	for i, p := range e.supporting {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendDouble(b, values[p.slot])
	}
	return append(b, ']')
}

// appendRecent names the newest of many points; of a contributor only one.
func (e *evidence) appendRecent(b []byte) []byte {
	n := len(e.supporting)
	listed := e.supporting[:min(n, listedPoints)]
	if e.contributor {
		listed = listed[:1]
	}
	b = append(b, ". The most recent datapoint"...)
	if n > 1 {
		b = append(b, 's')
	}
	b = append(b, " which "...)
	if e.state == StateOK {
		b = append(b, "not "...)
	}
	b = append(b, "crossed the threshold"...)
	if e.rule.band != nil {
		b = append(b, 's')
	}
	return e.appendPoints(append(b, ": "...), listed)
}

func appendCount(b []byte, n int, noun string) []byte {
	b = strconv.AppendInt(b, int64(n), 10)
	b = append(b, ' ')
	b = append(b, noun...)
	if n != 1 {
		b = append(b, 's')
	}
	return b
}

func wasOrWere(n int) string {
	if n == 1 {
		return " was"
	}
	return " were"
}

// truncate cuts a text to a number of characters.
func truncate(s string, limit int) string {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n == limit {
			return s[:i]
		}
		n++
	}
	return s
}
