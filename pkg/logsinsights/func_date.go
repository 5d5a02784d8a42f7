// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"fmt"
	"strings"
	"time"
)

var dateFunctions = map[string]function{
	"now": {spelling: "now", eval: func(e *env, _ []value) value { return numberValue(float64(floorTo(e.now, 1000) / 1000)) }},
	"frommillis": {spelling: "fromMillis", min: 1, max: 1, eval: func(_ *env, a []value) value {
		ms, ok := a[0].asMillis()
		if !ok {
			return value{}
		}
		return timeValue(ms)
	}},
	"tomillis": {spelling: "toMillis", min: 1, max: 1, eval: func(_ *env, a []value) value {
		ms, ok := a[0].asMillis()
		if !ok {
			return value{}
		}
		return numberValue(float64(ms))
	}},
	"formatdate": {spelling: "formatDate", min: 2, max: 3, prepare: formatDate},
	"parsedate":  {spelling: "parseDate", min: 2, max: 3, prepare: parseDate},
}

// dateArgs checks the constant pattern and zone of a date function.
func dateArgs(c *Call) (pattern *Text, zone *time.Location, err error) {
	pattern, ok := c.Args[1].(*Text)
	if !ok {
		return nil, nil, errAt(c.Args[1].pos(), "the second argument of %s must be a text, the pattern", c.spelling)
	}
	zone = time.UTC
	if len(c.Args) == 3 {
		name, ok := c.Args[2].(*Text)
		if !ok {
			return nil, nil, errAt(c.Args[2].pos(), "the third argument of %s must be a text, the time zone", c.spelling)
		}
		if zone, err = loadZone(name.Value); err != nil {
			return nil, nil, errAt(name.span, "unknown time zone %q", name.Value)
		}
	}
	return pattern, zone, nil
}

// loadZone reads a zone's name or an offset such as +02:00.
func loadZone(name string) (*time.Location, error) {
	for _, layout := range []string{"-07:00", "-0700", "Z07:00"} {
		if t, err := time.Parse(layout, name); err == nil {
			_, offset := t.Zone()
			return time.FixedZone(name, offset), nil
		}
	}
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("unknown time zone %q", name)
	}
	return time.LoadLocation(name)
}

// formatDate writes a time by a strftime pattern.
func formatDate(c *Call) (func(*env, []value) value, error) {
	pattern, zone, err := dateArgs(c)
	if err != nil {
		return nil, err
	}
	if _, err := strftime(time.UnixMilli(0), pattern.Value); err != nil {
		return nil, errAt(pattern.span, "%s", err)
	}
	return func(_ *env, a []value) value {
		ms, ok := a[0].asMillis()
		if !ok {
			return value{}
		}
		s, _ := strftime(time.UnixMilli(ms).In(zone), pattern.Value)
		return textValue(s)
	}, nil
}

// strftime writes t by the conversions of C's strftime, in the C locale.
func strftime(t time.Time, pattern string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' {
			b.WriteByte(pattern[i])
			continue
		}
		i++
		if i == len(pattern) {
			return "", fmt.Errorf("the pattern %q ends in %%", pattern)
		}
		c := pattern[i]
		if layout, ok := strftimeLayouts[c]; ok {
			b.WriteString(t.Format(layout))
			continue
		}
		switch c {
		case '%':
			b.WriteByte('%')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 's':
			fmt.Fprintf(&b, "%d", t.Unix())
		case 'j':
			fmt.Fprintf(&b, "%03d", t.YearDay())
		case 'L':
			fmt.Fprintf(&b, "%03d", t.Nanosecond()/1e6)
		case 'f':
			fmt.Fprintf(&b, "%06d", t.Nanosecond()/1e3)
		case 'C':
			fmt.Fprintf(&b, "%02d", t.Year()/100)
		case 'u':
			fmt.Fprintf(&b, "%d", (int(t.Weekday())+6)%7+1)
		case 'w':
			fmt.Fprintf(&b, "%d", t.Weekday())
		case 'k':
			fmt.Fprintf(&b, "%2d", t.Hour())
		case 'l':
			fmt.Fprintf(&b, "%2d", (t.Hour()+11)%12+1)
		case 'V':
			_, week := t.ISOWeek()
			fmt.Fprintf(&b, "%02d", week)
		case 'G':
			year, _ := t.ISOWeek()
			fmt.Fprintf(&b, "%d", year)
		default:
			return "", fmt.Errorf("the conversion %%%c in the pattern %q is not supported", c, pattern)
		}
	}
	return b.String(), nil
}

var strftimeLayouts = map[byte]string{
	'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'e': "_2", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'P': "pm",
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January", 'z': "-0700", 'Z': "MST", 'F': "2006-01-02", 'T': "15:04:05",
	'R': "15:04", 'D': "01/02/06", 'c': "Mon Jan _2 15:04:05 2006", 'x': "01/02/06", 'X': "15:04:05", 'r': "03:04:05 PM",
}

// parseDate reads a text by a pattern of Java's DateTimeFormatter; a text that does not fit is missing.
func parseDate(c *Call) (func(*env, []value) value, error) {
	pattern, zone, err := dateArgs(c)
	if err != nil {
		return nil, err
	}
	layout, err := javaLayout(pattern.Value)
	if err != nil {
		return nil, errAt(pattern.span, "%s", err)
	}
	return func(_ *env, a []value) value {
		s, ok := a[0].asText()
		if !ok {
			return value{}
		}
		t, err := time.ParseInLocation(layout, s, zone)
		if err != nil {
			return value{}
		}
		return numberValue(float64(t.UnixMilli()))
	}, nil
}

// javaLetters are the runs of pattern letters that have the same meaning in a layout of package time.
var javaLetters = map[string]string{
	"yyyy": "2006", "uuuu": "2006", "yy": "06", "M": "1", "MM": "01", "MMM": "Jan", "MMMM": "January", "d": "2", "dd": "02",
	"DDD": "002", "H": "15", "HH": "15", "h": "3", "hh": "03", "m": "4", "mm": "04", "s": "5", "ss": "05",
	"S": "0", "SS": "00", "SSS": "000", "SSSSSS": "000000", "SSSSSSSSS": "000000000", "a": "PM", "E": "Mon", "EEE": "Mon", "EEEE": "Monday",
	"z": "MST", "Z": "-0700", "XXX": "Z07:00", "XX": "Z0700", "X": "Z07", "xxx": "-07:00", "xx": "-0700", "x": "-07",
}

func javaLayout(pattern string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'':
			end := strings.IndexByte(pattern[i+1:], '\'')
			if end < 0 {
				return "", fmt.Errorf("a quote in the pattern %q is not closed", pattern)
			}
			if end == 0 {
				b.WriteByte('\'')
			} else {
				lit := pattern[i+1 : i+1+end]
				if strings.ContainsAny(lit, "0123456789") || lit != (time.Time{}).Format(lit) {
					return "", fmt.Errorf("the quoted text %q in the pattern %q is not supported", lit, pattern)
				}
				b.WriteString(lit)
			}
			i += end + 2
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			n := 1
			for i+n < len(pattern) && pattern[i+n] == c {
				n++
			}
			layout, ok := javaLetters[pattern[i:i+n]]
			if c == 'S' && (i == 0 || pattern[i-1] != '.' && pattern[i-1] != ',') {
				ok = false // package time reads fractions behind a dot or comma only
			}
			if !ok {
				return "", fmt.Errorf("%q in the pattern %q is not supported", pattern[i:i+n], pattern)
			}
			b.WriteString(layout)
			i += n
		case isDigit(c) || c == '_':
			return "", fmt.Errorf("%q in the pattern %q is not supported", string(c), pattern)
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), nil
}
