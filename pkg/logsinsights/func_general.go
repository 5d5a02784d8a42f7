// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

var generalFunctions = map[string]function{
	"ispresent": {spelling: "ispresent", min: 1, max: 1, eval: func(_ *env, a []value) value {
		return flag(a[0].kind != missing)
	}},
	"coalesce": {spelling: "coalesce", min: 1, max: -1, eval: func(_ *env, a []value) value {
		for _, v := range a {
			if v.kind != missing {
				return v
			}
		}
		return value{}
	}},
	"if": {spelling: "if", min: 3, max: 3, eval: func(_ *env, a []value) value {
		if a[0].truth() {
			return a[1]
		}
		return a[2]
	}},
	"case": {spelling: "case", min: 2, max: 21, eval: func(_ *env, a []value) value {
		for len(a) > 1 {
			if a[0].truth() {
				return a[1]
			}
			a = a[2:]
		}
		if len(a) == 1 {
			return a[0]
		}
		return value{}
	}},
	"isnumeric": {spelling: "isNumeric", min: 1, max: 1, eval: func(_ *env, a []value) value {
		_, ok := a[0].asNumber()
		return flag(ok)
	}},
	"messagesize": {spelling: "messageSize", min: 1, max: 1, eval: text1(func(s string) value {
		return numberValue(float64(len(s)))
	})},
	"querystarttime": {spelling: "queryStartTime", eval: func(e *env, _ []value) value { return numberValue(float64(e.start)) }},
	"queryendtime":   {spelling: "queryEndTime", eval: func(e *env, _ []value) value { return numberValue(float64(e.end)) }},
	"querytimerange": {spelling: "queryTimeRange", eval: func(e *env, _ []value) value {
		return numberValue(float64(e.end - e.start))
	}},
}
