// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import "fmt"

// stateProperties are what DescribeAlarms says of an alarm beside its definition.
var stateProperties = []string{
	"AlarmArn", "AlarmConfigurationUpdatedTimestamp", "StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp",
	"StateTransitionedTimestamp", "EvaluationState", "ActionsSuppressedBy", "ActionsSuppressedReason",
}

// addDescription reads what `aws cloudwatch describe-alarms` prints.
func (l *loader) addDescription(file string, doc *value) {
	for i := range doc.fields {
		f := &doc.fields[i]
		switch f.key {
		case "MetricAlarms":
			l.addDescribed(file, f, typeMetricAlarm)
		case "CompositeAlarms":
			l.addDescribed(file, f, typeCompositeAlarm)
		case "LogAlarms":
			if f.value.kind != kindNull && len(f.value.list) > 0 {
				l.fail(file, f.line, "LogAlarms: log alarms are not supported")
			}
		case "NextToken":
			if f.value.kind != kindNull {
				l.note(file, f.line, "the answer has a NextToken: there are more alarms than it shows")
			}
		case "ResponseMetadata": // of boto3
		default:
			l.fail(file, f.line, "unknown property %q of an answer of DescribeAlarms", f.key)
		}
	}
}

func (l *loader) addDescribed(file string, f *field, typ string) {
	switch f.value.kind {
	case kindNull:
		return
	case kindList:
	default:
		l.fail(file, f.line, "%s must be a list, not %s", f.key, f.value.kind)
		return
	}
	for i, item := range f.value.list {
		source := Source{File: file, Line: item.line, Format: FormatDescribeAlarms, Name: fmt.Sprintf("%s[%d]", f.key, i)}
		d := newDecoder(&l.problems, source, "", item)
		d.ignore(stateProperties...)
		if v := d.v.get("Dimensions"); v != nil && v.kind == kindList && len(v.list) == 0 {
			d.ignore("Dimensions") // of an alarm over Metrics, too
		}
		l.addProperties(d, typ, "")
	}
}
