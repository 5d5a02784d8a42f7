// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import "go.opentelemetry.io/collector/pdata/plog"

// Severity is the OpenTelemetry severity of a level's name, without regard to case, or of a level's number as pino
// and bunyan write it. Unknown levels are unspecified.
func Severity(level string) plog.SeverityNumber {
	if len(level) > len("INFORMATION") {
		return plog.SeverityNumberUnspecified
	}
	var buf [len("INFORMATION")]byte
	for i := range len(level) {
		c := level[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		buf[i] = c
	}
	switch string(buf[:len(level)]) { // does not allocate
	case "TRACE", "VERBOSE", "FINEST", "10":
		return plog.SeverityNumberTrace
	case "DEBUG", "FINE", "20":
		return plog.SeverityNumberDebug
	case "INFO", "INFORMATION", "30":
		return plog.SeverityNumberInfo
	case "NOTICE":
		return plog.SeverityNumberInfo2
	case "WARN", "WARNING", "40":
		return plog.SeverityNumberWarn
	case "ERROR", "ERR", "SEVERE", "50":
		return plog.SeverityNumberError
	case "CRITICAL":
		return plog.SeverityNumberError2
	case "FATAL", "PANIC", "60":
		return plog.SeverityNumberFatal
	case "ALERT":
		return plog.SeverityNumberFatal2
	case "EMERG", "EMERGENCY":
		return plog.SeverityNumberFatal4
	}
	return plog.SeverityNumberUnspecified
}

// levelOf is the level of a record: its severity's text, else the name of the range its number is in.
func levelOf(text string, number plog.SeverityNumber) string {
	if text != "" {
		return text
	}
	switch {
	case number < plog.SeverityNumberTrace || number > plog.SeverityNumberFatal4:
		return ""
	case number <= plog.SeverityNumberTrace4:
		return "TRACE"
	case number <= plog.SeverityNumberDebug4:
		return "DEBUG"
	case number <= plog.SeverityNumberInfo4:
		return "INFO"
	case number <= plog.SeverityNumberWarn4:
		return "WARN"
	case number <= plog.SeverityNumberError4:
		return "ERROR"
	}
	return "FATAL"
}
