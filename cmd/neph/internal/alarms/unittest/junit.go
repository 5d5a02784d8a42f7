// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package unittest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
	took     time.Duration
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	Classname string        `xml:"classname,attr"`
	File      string        `xml:"file,attr"`
	Line      int           `xml:"line,attr,omitempty"`
	Time      string        `xml:"time,attr"`
	Failure   *junitMessage `xml:"failure"`
	Error     *junitMessage `xml:"error"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// BrokenFile is a file whose tests could not be read.
type BrokenFile struct {
	Path string
	Err  error
}

// WriteJUnit writes results as JUnit XML, a suite per file. Results of one file are next to each other.
func WriteJUnit(w io.Writer, results []Result, broken []BrokenFile) error {
	all := junitSuites{Name: "neph alarms test"}
	var total time.Duration
	for i := range results {
		r := &results[i]
		n := len(all.Suites)
		if n == 0 || all.Suites[n-1].Name != r.File.Path {
			all.Suites = append(all.Suites, junitSuite{Name: r.File.Path})
			n++
		}
		s := &all.Suites[n-1]
		c := junitCase{Name: r.Test.Name, Classname: r.File.Path, File: r.File.Path, Line: r.Test.Line, Time: seconds(r.Took)}
		switch {
		case r.Err != nil:
			c.Error = &junitMessage{Message: printable(r.Err.Error()), Text: printable(r.Err.Error())}
			s.Errors++
		case len(r.Failures) > 0:
			texts := make([]string, len(r.Failures))
			for j := range r.Failures {
				texts[j] = printable(r.describe(&r.Failures[j]))
			}
			c.Failure = &junitMessage{Message: texts[0], Text: strings.Join(texts, "\n")}
			s.Failures++
		}
		s.Tests++
		s.Cases = append(s.Cases, c)
		s.took += r.Took
		total += r.Took
	}
	for _, b := range broken {
		message := &junitMessage{Message: "the file cannot be read", Text: printable(b.Err.Error())}
		all.Suites = append(all.Suites, junitSuite{
			Name: b.Path, Tests: 1, Errors: 1,
			Cases: []junitCase{{Name: "read", Classname: b.Path, File: b.Path, Time: seconds(0), Error: message}},
		})
	}
	for i := range all.Suites {
		s := &all.Suites[i]
		s.Time = seconds(s.took)
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	all.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// printable drops what XML cannot hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' {
			return '\uFFFD'
		}
		return r
	}, s)
}
