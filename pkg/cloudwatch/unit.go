// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"slices"
	"strings"
)

// UnitNone is the unit of data that was published without one.
const UnitNone = "None"

// units pairs CloudWatch's units, in the order in which AWS lists them, with their UCUM codes.
var units = []struct{ unit, ucum string }{
	{"Seconds", "s"},
	{"Microseconds", "us"},
	{"Milliseconds", "ms"},
	{"Bytes", "By"},
	{"Kilobytes", "kBy"},
	{"Megabytes", "MBy"},
	{"Gigabytes", "GBy"},
	{"Terabytes", "TBy"},
	{"Bits", "bit"},
	{"Kilobits", "kbit"},
	{"Megabits", "Mbit"},
	{"Gigabits", "Gbit"},
	{"Terabits", "Tbit"},
	{"Percent", "%"},
	{"Count", "{Count}"},
	{"Bytes/Second", "By/s"},
	{"Kilobytes/Second", "kBy/s"},
	{"Megabytes/Second", "MBy/s"},
	{"Gigabytes/Second", "GBy/s"},
	{"Terabytes/Second", "TBy/s"},
	{"Bits/Second", "bit/s"},
	{"Kilobits/Second", "kbit/s"},
	{"Megabits/Second", "Mbit/s"},
	{"Gigabits/Second", "Gbit/s"},
	{"Terabits/Second", "Tbit/s"},
	{"Count/Second", "{Count}/s"},
	{UnitNone, ""},
}

var ucumByUnit, unitByUCUM = func() (map[string]string, map[string]string) {
	to, from := make(map[string]string, len(units)), make(map[string]string, len(units)+1)
	for _, u := range units {
		to[u.unit], from[u.ucum] = u.ucum, u.unit
	}
	from["1"] = UnitNone
	return to, from
}()

// Units returns the 27 units in the order in which AWS lists them.
func Units() []string {
	list := make([]string, len(units))
	for i, u := range units {
		list[i] = u.unit
	}
	return slices.Clip(list)
}

// ValidUnit reports whether s is one of CloudWatch's units, spelled exactly.
func ValidUnit(s string) bool {
	_, ok := ucumByUnit[s]
	return ok
}

// UCUM returns the UCUM code of a CloudWatch unit; "" stands for None. ok is false for what is not a unit.
func UCUM(unit string) (code string, ok bool) {
	code, ok = ucumByUnit[unit]
	return code, ok
}

// UnitFromUCUM returns the CloudWatch unit of a UCUM code. It is the inverse of [UCUM], and also takes what other
// telemetry writes: "1" is None, an annotation such as {request} is Count and {request}/s is Count/Second. ok is
// false, and the unit None, for a code that CloudWatch has no unit for.
func UnitFromUCUM(code string) (unit string, ok bool) {
	if unit, ok = unitByUCUM[code]; ok {
		return unit, true
	}
	annotation, perSecond := strings.CutSuffix(code, "/s")
	if len(annotation) >= 2 && annotation[0] == '{' && strings.IndexByte(annotation, '}') == len(annotation)-1 {
		if perSecond {
			return "Count/Second", true
		}
		return "Count", true
	}
	return UnitNone, false
}
