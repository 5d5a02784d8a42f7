// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

// latestSecond is the most that a time in seconds can be; greater numbers are milliseconds.
const latestSecond = 1e11

// TimestampsInSeconds rewrites the body of a GetSamplingTargets request whose timestamps are in milliseconds, as
// the OpenTelemetry sampler for Java sends them, to one in seconds, as the API has them. Any other body is
// returned as it is.
func TimestampsInSeconds(body []byte) []byte {
	t := getTree()
	defer putTree(t)
	if t.parse(string(body)) != nil || t.nodes[0].kind != kindObject {
		return body
	}
	var out []byte
	done := int32(0)
	for list := t.nodes[0].child; list != 0; list = t.nodes[list].next {
		switch t.key(list) {
		case "SamplingStatisticsDocuments", "SamplingBoostStatisticsDocuments":
		default:
			continue
		}
		if t.nodes[list].kind != kindArray {
			continue
		}
		for d := t.nodes[list].child; d != 0; d = t.nodes[d].next {
			n := t.member(d, "Timestamp")
			ms, ok := t.milliseconds(n)
			if !ok {
				continue
			}
			out = append(out, t.src[done:t.nodes[n].start]...)
			out = appendSeconds(out, ms*1e6)
			done = t.nodes[n].end
		}
	}
	if out == nil {
		return body
	}
	return append(out, t.src[done:]...)
}

// milliseconds is true for a number that can be no time in seconds but one in milliseconds.
func (t *tree) milliseconds(n int32) (int64, bool) {
	if !t.is(n, kindNumber) {
		return 0, false
	}
	ms, ok := t.canonicalInt(n)
	return ms, ok && ms > latestSecond && ms < (1<<63-1)/1_000_000
}
