// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"strconv"
	"strings"
)

// isLambdaGroup is whether the group's lines are read as those of a Lambda function.
func isLambdaGroup(group string) bool { return strings.HasPrefix(group, "/aws/lambda/") }

// lambdaFields are the fields that lines of Lambda functions have, in the order of a record's listing.
var lambdaFields = []string{
	"@requestId", "@type", "@duration", "@billedDuration", "@initDuration", "@memorySize", "@maxMemoryUsed",
	"@xrayTraceId", "@xraySegmentId",
}

// lambdaField returns the reader of such a field, or nil.
func lambdaField(name string) func(line string) value {
	switch name {
	case "@requestId":
		return lambdaRequestID
	case "@type":
		return func(line string) value { return presentText(lambdaType(line)) }
	case "@duration":
		return func(line string) value { return lambdaMeasure(line, "Duration: ", "ms") }
	case "@billedDuration":
		return func(line string) value { return lambdaMeasure(line, "Billed Duration: ", "ms") }
	case "@initDuration":
		return func(line string) value { return lambdaMeasure(line, "Init Duration: ", "ms") }
	case "@memorySize":
		return func(line string) value { return lambdaMeasure(line, "Memory Size: ", "MB") }
	case "@maxMemoryUsed":
		return func(line string) value { return lambdaMeasure(line, "Max Memory Used: ", "MB") }
	case "@xrayTraceId":
		return func(line string) value { return lambdaTextPart(line, "XRAY TraceId: ") }
	case "@xraySegmentId":
		return func(line string) value { return lambdaTextPart(line, "SegmentId: ") }
	}
	return nil
}

// lambdaTypes are the lines that the platform writes.
var lambdaTypes = []string{"START", "END", "REPORT", "INIT_START", "INIT_REPORT", "RESTORE_START", "RESTORE_REPORT"}

// lambdaType is the kind of a line of the platform, "" for a line of the application.
func lambdaType(line string) string {
	word, rest, ok := strings.Cut(line, " ")
	if !ok {
		return ""
	}
	for _, t := range lambdaTypes {
		if word != t {
			continue
		}
		// START, END and REPORT are followed by the request; the application may use these words too.
		if (t == "START" || t == "END" || t == "REPORT") && !strings.HasPrefix(rest, "RequestId: ") {
			return ""
		}
		return t
	}
	return ""
}

// lambdaRequestID reads the id of a line of the platform, or of the application: its second column, or
// the third when the first one is the level in brackets, as Python writes it.
func lambdaRequestID(line string) value {
	if t := lambdaType(line); t != "" {
		_, rest, ok := strings.Cut(line, "RequestId: ")
		if !ok {
			return value{}
		}
		if end := strings.IndexAny(rest, " \t\r\n"); end >= 0 {
			rest = rest[:end]
		}
		return presentText(rest)
	}
	columns := strings.SplitN(line, "\t", 4)
	for _, c := range columns[1:min(len(columns), 3)] {
		if isUUID(c) {
			return textValue(c)
		}
	}
	return value{}
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

// lambdaMeasure reads one measure of a REPORT line. Memory is in bytes, of which a MB has 1,000,000.
func lambdaMeasure(line, label, unit string) value {
	if t := lambdaType(line); t != "REPORT" && t != "INIT_REPORT" && t != "RESTORE_REPORT" {
		return value{}
	}
	for part := range strings.SplitSeq(line, "\t") {
		rest, ok := strings.CutPrefix(strings.TrimLeft(part, " \n"), label)
		if !ok {
			continue
		}
		num, u, ok := strings.Cut(strings.TrimRight(rest, " \r\n"), " ")
		if !ok || u != unit {
			return value{}
		}
		f, err := strconv.ParseFloat(num, 64)
		if err != nil {
			return value{}
		}
		if unit == "MB" {
			f *= 1_000_000
		}
		return numberValue(f)
	}
	return value{}
}

// lambdaTextPart reads the word behind a label of a REPORT line.
func lambdaTextPart(line, label string) value {
	if lambdaType(line) != "REPORT" {
		return value{}
	}
	_, rest, ok := strings.Cut(line, label)
	if !ok {
		return value{}
	}
	if end := strings.IndexAny(rest, " \t\r\n"); end >= 0 {
		rest = rest[:end]
	}
	return presentText(rest)
}
