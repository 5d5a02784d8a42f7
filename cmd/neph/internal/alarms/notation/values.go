// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notation

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Point is what was measured in one interval. Exactly one form is set; none is a gap.
type Point struct {
	// Value is set when Set is.
	Value float64
	Set   bool
	// Values and Counts are several samples.
	Values, Counts []float64
	Statistics     *cloudwatch.StatisticSet
}

// Gap is whether there is no data.
func (p *Point) Gap() bool { return !p.Set && p.Values == nil && p.Statistics == nil }

// Limits of the notation.
const (
	// MaxPoints is how many points a series may have.
	MaxPoints = 2_000_000
	maxGroups = 20
	// maxSamples is how many distinct values a point may have, as PutMetricData has it.
	maxSamples = 150
)

// Error is what is wrong with a text, and where.
type Error struct {
	Offset  int // in bytes
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("offset %d: %s", e.Offset, e.Message) }

// Values reads values. The interval is what durations count in.
func Values(text string, interval time.Duration) ([]Point, error) {
	p := &parser{text: text, interval: interval}
	points, err := p.list(0)
	if err == nil && p.at < len(text) {
		err = p.fail("unexpected %q", text[p.at:p.at+1])
	}
	if err != nil {
		return nil, err
	}
	return points, nil
}

type parser struct {
	text     string
	at       int
	interval time.Duration
}

func (p *parser) fail(format string, args ...any) error {
	return &Error{Offset: p.at, Message: fmt.Sprintf(format, args...)}
}

func (p *parser) space() bool {
	from := p.at
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	return p.at > from
}

func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) take(c byte) bool {
	if p.peek() == c && p.at < len(p.text) {
		p.at++
		return true
	}
	return false
}

// list reads items up to the end or a closing parenthesis.
func (p *parser) list(depth int) ([]Point, error) {
	if depth > maxGroups {
		return nil, p.fail("groups are nested deeper than %d", maxGroups)
	}
	var points []Point
	p.space()
	for p.at < len(p.text) && p.peek() != ')' {
		item, err := p.item(depth, MaxPoints-len(points))
		if err != nil {
			return nil, err
		}
		points = append(points, item...)
		if !p.space() && p.at < len(p.text) && p.peek() != ')' {
			return nil, p.fail("expected a space before the next point")
		}
	}
	return points, nil
}

// item reads a point, a ramp or a group, and how often it comes.
func (p *parser) item(depth, room int) ([]Point, error) {
	group := []Point{{}}
	step, ramp := 0.0, false
	var err error
	start := p.at
	switch p.peek() {
	case '(':
		p.at++
		if group, err = p.list(depth + 1); err == nil && !p.take(')') {
			err = p.fail("expected )")
		}
	case '_':
		p.at++
	case '[':
		group[0], err = p.samples()
	case '{':
		group[0], err = p.statistics()
	default:
		if group[0].Value, err = p.number(); err != nil {
			break
		}
		group[0].Set = true
		if c := p.peek(); c == '+' || c == '-' {
			ramp = true
			p.at++
			if step, err = p.number(); c == '-' {
				step = -step
			}
		}
	}
	if err != nil {
		return nil, err
	}
	times := 1
	if p.take('x') {
		if times, err = p.times(len(group)); err != nil {
			return nil, err
		}
	} else if ramp {
		return nil, p.fail("a ramp needs its number of points, such as %sx5", p.text[start:p.at])
	}
	if times*len(group) > room {
		return nil, p.fail("more than %d points", MaxPoints)
	}
	points := make([]Point, 0, times*len(group))
	for i := range times {
		points = append(points, group...)
		if ramp {
			points[i].Value += float64(i) * step
			if math.IsInf(points[i].Value, 0) {
				return nil, p.fail("the ramp does not end in a number")
			}
		}
	}
	return points, nil
}

// times is how often something of a number of points comes: a number, or a duration that it fills.
func (p *parser) times(points int) (int, error) {
	from := p.at
	for p.at < len(p.text) && (p.peek() >= '0' && p.peek() <= '9' || p.peek() >= 'a' && p.peek() <= 'z') {
		p.at++
	}
	text := p.text[from:p.at]
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return int(min(n, MaxPoints+1)), nil
	}
	d, err := Duration(text)
	switch {
	case err != nil:
		p.at = from
		return 0, p.fail("expected a number of points or a duration, not %q", text)
	case p.interval <= 0 || points == 0 || d%(p.interval*time.Duration(points)) != 0:
		p.at = from
		return 0, p.fail("%s is not a multiple of the interval, %s, and the number of points, %d", text, p.interval, points)
	}
	return int(min(d/(p.interval*time.Duration(points)), MaxPoints+1)), nil
}

func (p *parser) number() (float64, error) {
	from := p.at
	rest := p.text[from:]
	n := numberLength(rest)
	if n == 0 {
		word := rest[:min(len(rest), 10)]
		if i := strings.IndexAny(word, " \t\r\n"); i >= 0 {
			word = word[:i]
		}
		if word == "stale" {
			return 0, p.fail("CloudWatch has no stale markers; write _ for a period without data")
		}
		return 0, p.fail("expected a number, _, [, { or (, not %q", word)
	}
	v, err := strconv.ParseFloat(rest[:n], 64)
	if err != nil {
		return 0, p.fail("%s is not a number", rest[:n])
	}
	p.at += n
	return v, nil
}

// numberLength is how long the number at the beginning is: -1, .5, 2.5e-3.
func numberLength(s string) int {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	digits := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
		if s[i] != '.' {
			digits++
		}
		i++
	}
	if digits == 0 {
		return 0
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '-' || s[j] == '+') {
			j++
		}
		from := j
		for j < len(s) && s[j] >= '0' && s[j] <= '9' {
			j++
		}
		if j > from {
			i = j
		}
	}
	return i
}

// samples reads [1 2 9*3].
func (p *parser) samples() (Point, error) {
	var point Point
	p.at++
	p.space()
	for !p.take(']') {
		v, err := p.number()
		if err != nil {
			return point, err
		}
		count := 1.0
		if p.take('*') {
			if count, err = p.number(); err != nil {
				return point, err
			}
			if count <= 0 {
				return point, p.fail("a count must be greater than 0")
			}
		}
		point.Values, point.Counts = append(point.Values, v), append(point.Counts, count)
		if len(point.Values) > maxSamples {
			return point, p.fail("more than %d distinct samples", maxSamples)
		}
		if !p.space() && p.peek() != ']' {
			return point, p.fail("expected a space or ]")
		}
	}
	if len(point.Values) == 0 {
		return point, p.fail("a point needs samples; write _ for no data")
	}
	return point, nil
}

// statistics reads {n=4 sum=10 min=1 max=6}.
func (p *parser) statistics() (Point, error) {
	p.at++
	p.space()
	var s cloudwatch.StatisticSet
	given := map[string]bool{}
	for !p.take('}') {
		from := p.at
		for p.peek() >= 'a' && p.peek() <= 'z' {
			p.at++
		}
		name := p.text[from:p.at]
		to := map[string]*float64{"n": &s.SampleCount, "sum": &s.Sum, "min": &s.Minimum, "max": &s.Maximum}[name]
		if to == nil || given[name] || !p.take('=') {
			p.at = from
			return Point{}, p.fail("expected n=, sum=, min= and max=, each once")
		}
		var err error
		if *to, err = p.number(); err != nil {
			return Point{}, err
		}
		given[name] = true
		if !p.space() && p.peek() != '}' {
			return Point{}, p.fail("expected a space or }")
		}
	}
	switch {
	case len(given) != 4:
		return Point{}, p.fail("a statistic set has n=, sum=, min= and max=")
	case s.SampleCount <= 0 || s.Minimum > s.Maximum:
		return Point{}, p.fail("a statistic set needs n above 0, and min not above max")
	}
	return Point{Statistics: &s}, nil
}

// Duration reads a duration that may be of days: 90s, 5m, 1h30m, 2d, -10m.
func Duration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || math.IsNaN(n) || math.Abs(n) > 36_500 {
			return 0, fmt.Errorf("%q is not a number of days", text)
		}
		return time.Duration(n * 24 * float64(time.Hour)), nil
	}
	if text == "0" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as 90s, 5m or 2d", text)
	}
	return d, nil
}
