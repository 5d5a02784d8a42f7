// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import "time"

// compositeCreatedReason is the reason of a new composite alarm.
func compositeCreatedReason(arn string, s State) string {
	return truncate(arn+" was created and its alarm rule evaluates to "+string(s), longestReason)
}

// compositeUpdatedReason is the reason of a composite alarm whose rule was changed.
func compositeUpdatedReason(arn string, s State) string {
	return truncate(arn+" was updated and its new alarm rule evaluates to "+string(s), longestReason)
}

// compositeTransitionReason is the reason of a composite alarm of which a child changed its state.
func compositeTransitionReason(child string, s State, at time.Time) string {
	return truncate(child+" transitioned to "+string(s)+" at "+longDate(at), longestReason)
}

// longDate is a time as texts for people spell it: Friday 04 August, 2023 12:54:46 UTC.
func longDate(t time.Time) string { return t.UTC().Format("Monday 02 January, 2006 15:04:05 MST") }

// compositeReasonData is the reason data of a composite alarm. Children for which there is no room are left out.
func compositeReasonData(children []TriggeringAlarm) string {
	const opening, closing = `{"triggeringAlarms":[`, "]}"
	b := append(make([]byte, 0, 256), opening...)
	for i := range children {
		end := len(b)
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTriggering(b, &children[i])
		if len(b)+len(closing) > longestReasonData {
			b = b[:end]
			break
		}
	}
	return string(append(b, closing...))
}

func appendTriggering(b []byte, c *TriggeringAlarm) []byte {
	b = append(b, `{"arn":`...)
	b = appendJSON(b, c.ARN)
	b = append(b, `,"state":{"value":"`...)
	b = append(b, c.State...)
	b = append(b, `","timestamp":`...)
	return append(appendTimestamp(b, c.Timestamp), "}}"...)
}
