// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// Shape names of CloudWatch's errors.
const (
	codeMissingParameter   = "MissingRequiredParameterException"
	codeInvalidCombination = "InvalidParameterCombinationException"
	codeInvalidValue       = "InvalidParameterValueException"
	codeValidation         = "ValidationException"
	codeInvalidNextToken   = "InvalidNextToken"
)

// maxFaultLines bounds the message of a request with many faults.
const maxFaultLines = 100

// faults collects what is wrong with a request. CloudWatch reports all faults of one kind, a line each.
type faults struct {
	missing, combination, value []string
}

func (f *faults) addMissing(path string) {
	f.missing = append(f.missing, "The parameter "+path+" is required.")
}

func (f *faults) addExclusive(a, b string) {
	f.combination = append(f.combination,
		"The parameters "+a+" and "+b+" are mutually exclusive and you have specified both.")
}

func (f *faults) addCombination(format string, args ...any) {
	f.combination = append(f.combination, fmt.Sprintf(format, args...))
}

func (f *faults) addValue(format string, args ...any) {
	f.value = append(f.value, fmt.Sprintf(format, args...))
}

// addName checks a name or value that is to be kept: printable ASCII with a non-blank in it, at most limit long.
func (f *faults) addName(path, s string, limit int) {
	switch {
	case s == "":
		f.addMissing(path)
		return
	case !printableASCII(s):
		f.addValue("The value for parameter %s contains non-ASCII characters.", path)
	case strings.TrimSpace(s) == "":
		f.addValue("The parameter %s must contain at least one non-whitespace character.", path)
	}
	if len(s) > limit {
		f.addValue("The parameter %s must be shorter than %d characters.", path, limit+1)
	}
}

// wanted is whether s is surely a valid name or value to ask for: its path need not be built.
func wanted(s string, limit int) bool { return s != "" && len(s) <= limit }

// addWanted checks a name or value that is asked for. Metrics from elsewhere than AWS may be called in any script.
func (f *faults) addWanted(path, s string, limit int) {
	switch {
	case s == "":
		f.addMissing(path)
	case utf8.RuneCountInString(s) > limit:
		f.addValue("The parameter %s must be shorter than %d characters.", path, limit+1)
	}
}

// addNumber reports a value that is not finite or outside of the range that CloudWatch keeps.
func (f *faults) addNumber(path string, v float64) {
	f.addValue("The value %s for parameter %s is invalid.", formatDouble(v), path)
}

// validNumber is whether CloudWatch keeps v.
func validNumber(v float64) bool {
	return math.Abs(v) <= maxValue // false for NaN
}

// err is the error of the gravest kind of fault, or nil.
func (f *faults) err() error {
	for _, kind := range []struct {
		code  string
		lines []string
	}{
		{codeMissingParameter, f.missing},
		{codeInvalidCombination, f.combination},
		{codeInvalidValue, f.value},
	} {
		if len(kind.lines) > 0 {
			lines := kind.lines[:min(len(kind.lines), maxFaultLines)]
			return &awswire.Error{Code: kind.code, Message: strings.Join(lines, "\n")}
		}
	}
	return nil
}

func invalidValue(format string, args ...any) error {
	return &awswire.Error{Code: codeInvalidValue, Message: fmt.Sprintf(format, args...)}
}

func validationError(format string, args ...any) error {
	return &awswire.Error{Code: codeValidation, Message: fmt.Sprintf(format, args...)}
}

func printableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// formatDouble spells v as CloudWatch does in its messages.
func formatDouble(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "Infinity"
	case math.IsInf(v, -1):
		return "-Infinity"
	}
	s := strconv.FormatFloat(v, 'E', -1, 64)
	mantissa, exponent, _ := strings.Cut(s, "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	if n >= -3 && n < 7 {
		s = strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	return mantissa + "E" + strconv.Itoa(n)
}
