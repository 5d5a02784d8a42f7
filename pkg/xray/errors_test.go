// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"
)

func TestUnprocessed(t *testing.T) {
	t.Parallel()
	const id, trace = `"id":"00000000000000ff"`, `"trace_id":"1-65535c00-00000000000000000000000f"`
	long := strings.Repeat("é", 200)
	for _, c := range []struct {
		name, doc string
		code      ErrorCode
		id        string
	}{
		{"not JSON", `{`, ErrorParse, ""},
		{"empty", ``, ErrorParse, ""},
		{"two values", `{}{}`, ErrorParse, ""},
		{"not UTF-8", "{\"id\":\"\xff\"}", ErrorParse, ""},
		{"an array", `[]`, ErrorMissingID, ""},
		{"a string", `"x"`, ErrorMissingID, ""},
		{"no members", `{}`, ErrorMissingID, ""},
		{"id null", `{"id":null}`, ErrorMissingID, ""},
		{"id empty", `{"id":""}`, ErrorMissingID, ""},
		{"id number", `{"id":5}`, ErrorInvalidID, ""},
		{"id short", `{"id":"ff"}`, ErrorInvalidID, "ff"},
		{"id no hex", `{"id":"00000000000000fg"}`, ErrorInvalidID, "00000000000000fg"},
		{"id zero", `{"id":"0000000000000000"}`, ErrorInvalidID, "0000000000000000"},
		{"no trace id", `{` + id + `}`, ErrorMissingTraceID, "00000000000000ff"},
		{"trace id number", `{` + id + `,"trace_id":1}`, ErrorInvalidTraceID, "00000000000000ff"},
		{"trace id short", `{` + id + `,"trace_id":"1-65535c00-0f"}`, ErrorInvalidTraceID, "00000000000000ff"},
		{"trace id version", `{` + id + `,"trace_id":"2-65535c00-00000000000000000000000f"}`, ErrorInvalidTraceID, "00000000000000ff"},
		{"trace id of no-op SDK", `{` + id + `,"trace_id":"1-00000000-000000000000000000000000"}`, ErrorInvalidTraceID, "00000000000000ff"},
		{"no name", `{` + id + `,` + trace + `}`, ErrorMissingName, "00000000000000ff"},
		{"name empty", `{` + id + `,` + trace + `,"name":""}`, ErrorMissingName, "00000000000000ff"},
		{"name number", `{` + id + `,` + trace + `,"name":1}`, ErrorInvalidName, "00000000000000ff"},
		{"name characters", `{` + id + `,` + trace + `,"name":"a<b>"}`, ErrorInvalidName, "00000000000000ff"},
		{"name long", `{` + id + `,` + trace + `,"name":"` + long + `x"}`, ErrorInvalidName, "00000000000000ff"},
		{"no start", `{` + id + `,` + trace + `,"name":"n"}`, ErrorMissingStartTime, "00000000000000ff"},
		{"start text", `{` + id + `,` + trace + `,"name":"n","start_time":"1"}`, ErrorParse, "00000000000000ff"},
		{"start negative", `{` + id + `,` + trace + `,"name":"n","start_time":-1}`, ErrorParse, "00000000000000ff"},
		{"start in milliseconds", `{` + id + `,` + trace + `,"name":"n","start_time":1700000000000}`, ErrorParse, "00000000000000ff"},
		{"end text", `{` + id + `,` + trace + `,"name":"n","start_time":1,"end_time":true}`, ErrorParse, "00000000000000ff"},
		{"parent", `{` + id + `,` + trace + `,"name":"n","start_time":1,"parent_id":"x"}`, ErrorInvalidID, "00000000000000ff"},
		{"too big", `{` + id + `,` + trace + `,"name":"n","start_time":1,"x":"` + strings.Repeat("x", MaxDocumentSize) + `"}`, ErrorSizeLimit, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			good := `{` + id + `,` + trace + `,"name":"` + long + `","start_time":1,"end_time":2}`
			td, refused := ToTraces("1", "r", []string{good, c.doc, good})
			require.Equal(t, 2, td.SpanCount(), "the good ones are kept")
			require.Len(t, refused, 1)
			require.Equal(t, 1, refused[0].Index)
			require.Equal(t, c.code, refused[0].Code, refused[0].Detail)
			require.Equal(t, c.id, refused[0].ID)
			sdk := refused[0].SDK()
			require.Equal(t, string(c.code), aws.ToString(sdk.ErrorCode))
			require.Equal(t, "Invalid segment. ErrorCode: "+string(c.code), aws.ToString(sdk.Message))
			require.Equal(t, c.id, aws.ToString(sdk.Id))
			_, err := ParseSegment(c.doc)
			var fail *SegmentError
			require.ErrorAs(t, err, &fail)
			require.Equal(t, c.code, fail.Code)
			require.Contains(t, fail.Error(), string(c.code))
		})
	}
}

func TestLenient(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"W3C trace id":       `{"id":"00000000000000ff","trace_id":"65535c0000000000000000000000000f","name":"n","start_time":1,"end_time":2}`,
		"upper case":         `{"id":"00000000000000FF","trace_id":"1-65535C00-00000000000000000000000F","name":"n","start_time":1,"end_time":2}`,
		"free subsegment":    `{"id":"00000000000000ff","trace_id":"1-65535c00-00000000000000000000000f","name":"## a<b> (c)","type":"subsegment","parent_id":"00000000000000fe","start_time":1,"end_time":2}`,
		"unknown members":    `{"id":"00000000000000ff","trace_id":"1-65535c00-00000000000000000000000f","name":"n","start_time":1,"end_time":2,"Dummy":false}`,
		"no end and no flag": `{"id":"00000000000000ff","trace_id":"1-65535c00-00000000000000000000000f","name":"n","start_time":1}`,
	} {
		docs := roundTrip(t, doc)
		require.Len(t, docs, 1, name)
		want := decode(t, doc).(map[string]any)
		normalise(want)
		require.Equal(t, want, decode(t, docs[0].JSON), name)
		require.Equal(t, name == "no end and no flag", docs[0].InProgress)
	}
}
