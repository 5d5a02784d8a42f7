// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsinsights

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		q, err := Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, q.String())
		again, err := Parse(q.String())
		require.NoError(t, err, q.String())
		assert.Equal(t, q, again)
	}
	// The sample queries of CloudWatch's documentation.
	f(`SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId)`, `SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId)`)
	f(`SELECT MAX(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId) GROUP BY InstanceId ORDER BY MAX() DESC LIMIT 10`,
		`SELECT MAX(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId) GROUP BY InstanceId ORDER BY MAX() DESC LIMIT 10`)
	f(`SELECT AVG(Latency) FROM "AWS/ApplicationELB" WHERE LoadBalancer = 'app/load-balancer-1'`,
		`SELECT AVG(Latency) FROM "AWS/ApplicationELB" WHERE LoadBalancer = 'app/load-balancer-1'`)
	f(`SELECT SUM(Invocations) FROM SCHEMA("AWS/Lambda", FunctionName) GROUP BY FunctionName ORDER BY SUM() DESC LIMIT 10`,
		`SELECT SUM(Invocations) FROM SCHEMA("AWS/Lambda", FunctionName) GROUP BY FunctionName ORDER BY SUM() DESC LIMIT 10`)
	f(`SELECT COUNT(CallCount) FROM SCHEMA("AWS/Usage", Class, Resource, Service, Type) WHERE Type = 'API' GROUP BY Service, Resource ORDER BY SUM() DESC LIMIT 20`,
		`SELECT COUNT(CallCount) FROM SCHEMA("AWS/Usage", Class, Resource, Service, Type) WHERE Type = 'API' GROUP BY Service, Resource ORDER BY SUM() DESC LIMIT 20`)
	f(`SELECT SUM(ApiResponse) FROM "ns" WHERE Path = '/my/path' GROUP BY Audience`,
		`SELECT SUM(ApiResponse) FROM ns WHERE Path = '/my/path' GROUP BY Audience`)

	f("select\tsum ( x ) from y\nwhere a='b' and c != 'd' group by e , f order by min ( ) asc limit 5",
		`SELECT SUM(x) FROM y WHERE a = 'b' AND c != 'd' GROUP BY e, f ORDER BY MIN() LIMIT 5`)
	f(`SELECT SUM("Count") FROM "my ns" WHERE "a b" = 'it\'s' AND "q\"q" != ''`, `SELECT SUM("Count") FROM "my ns" WHERE "a b" = 'it\'s' AND "q\"q" != ''`)
	f(`SELECT SUM(x) FROM y WHERE a = 'b\n\\c"'`, `SELECT SUM(x) FROM y WHERE a = 'b\n\\c"'`)
	f(`SELECT SUM(x.y) FROM a.b WHERE c.d = 'e'`, `SELECT SUM("x.y") FROM "a.b" WHERE "c.d" = 'e'`)
	f(`SELECT SUM("größe") FROM y`, `SELECT SUM("größe") FROM y`)
	f(`SELECT SUM(x) FROM SCHEMA(y)`, `SELECT SUM(x) FROM SCHEMA(y)`)
	f(`SELECT SUM(x) FROM "schema"`, `SELECT SUM(x) FROM "schema"`)
	f(`SELECT SUM(x) FROM y LIMIT 501`, `SELECT SUM(x) FROM y LIMIT 500`)
	f(`SELECT SUM(x) FROM y LIMIT 99999999999999999999`, `SELECT SUM(x) FROM y LIMIT 500`)
	f(`SELECT SUM(x) FROM y WHERE AWS.AccountId = '123456789012' AND ":aws.AccountId" != '1' AND :aws.AccountId = CURRENT_ACCOUNT_ID() GROUP BY AWS.AccountId`,
		`SELECT SUM(x) FROM y WHERE AWS.AccountId = '123456789012' AND AWS.AccountId != '1' AND AWS.AccountId = CURRENT_ACCOUNT_ID() GROUP BY AWS.AccountId`)
	f(`SELECT SUM(x) FROM y GROUP BY "AWS.AccountId", "tag.env"`, `SELECT SUM(x) FROM y GROUP BY "AWS.AccountId", "tag.env"`)

	q, err := Parse(`SELECT SUM(x) FROM y WHERE a != 'b' GROUP BY AWS.AccountId, "AWS.AccountId" ORDER BY AVG() DESC`)
	require.NoError(t, err)
	assert.Equal(t, &Query{
		Function: Sum, Metric: "x", Namespace: "y", Where: []Condition{{Key: "a", Not: true, Value: "b"}},
		GroupBy: []Key{AccountID, "AWS.AccountId"}, Order: &Order{Function: Average, Descending: true},
	}, q)
}

func TestParseErrors(t *testing.T) {
	f := func(text string, offset int, want string) {
		t.Helper()
		_, err := Parse(text)
		var e *Error
		require.ErrorAs(t, err, &e, text)
		assert.Equal(t, want, e.Message, text)
		assert.Equal(t, want, err.Error())
		assert.Equal(t, offset, e.Offset, text)
	}
	f("", 0, "Invalid syntax near ''")
	f("SHOW", 0, "Invalid syntax near 'SHOW'")
	f("SELECT", 6, "Invalid syntax near 'SELECT'")
	f("SELECT p99(x) FROM y", 7, "Invalid syntax. 'p99' is not a valid aggregate function")
	f("SELECT x FROM y", 7, "Invalid syntax. 'x' is not a valid aggregate function")
	f("SELECT * FROM y", 7, "Invalid syntax near '* FROM y'")
	f("SELECT SUM FROM y", 11, "Invalid syntax near 'FROM y'")
	f("SELECT SUM() FROM y", 11, "Invalid syntax near ') FROM y'")
	f("SELECT SUM('x') FROM y", 11, "Invalid syntax near ''x') FROM y'")
	f("SELECT SUM(x y) FROM z", 13, "Invalid syntax near 'y) FROM z'")
	f("SELECT SUM(Count) FROM y", 11, "Invalid syntax. Reserved keyword 'Count' must be surrounded by double quotes")
	f("SELECT SUM(x), MAX(x) FROM y", 13, "Invalid syntax near ', MAX(x) FROM y'")
	f("SELECT SUM(x)", 13, "Invalid syntax near 'SELECT SUM(x)'")
	f("SELECT SUM(x) FROM", 18, "Invalid syntax near 'SELECT SUM(x) FROM'")
	f("SELECT SUM(x) FROM AWS/EC2 WHERE some_long_name = 'v'", 22, "Invalid syntax near '/EC2 WHERE some_long_name = 'v'")
	f("SELECT SUM(x) FROM schema", 19, "Invalid syntax. Reserved keyword 'schema' must be surrounded by double quotes")
	f("SELECT SUM(x) FROM SCHEMA()", 26, "Invalid syntax near ')'")
	f("SELECT SUM(x) FROM SCHEMA(y,)", 28, "Invalid syntax near ')'")
	f("SELECT SUM(x) FROM SCHEMA(y, a, a)", 32, "Invalid syntax. The dimension 'a' is in SCHEMA twice")
	f("SELECT SUM(x) FROM SCHEMA(y, a", 30, "Invalid syntax near 'SELECT SUM(x) FROM SCHEMA(y, a'")
	f("SELECT SUM(x) FROM y WHERE", 26, "Invalid syntax near 'SELECT SUM(x) FROM y WHERE'")
	f("SELECT SUM(x) FROM y WHERE a", 28, "Invalid syntax near 'SELECT SUM(x) FROM y WHERE a'")
	f("SELECT SUM(x) FROM y WHERE a > 'b'", 29, "Invalid syntax near '> 'b''")
	f("SELECT SUM(x) FROM y WHERE a = b", 31,
		"Invalid syntax. Comparing identifiers is not supported. Values must be surrounded by single quotes")
	f(`SELECT SUM(x) FROM y WHERE a = "b"`, 31,
		"Invalid syntax. Comparing identifiers is not supported. Values must be surrounded by single quotes")
	f("SELECT SUM(x) FROM y WHERE a = 5", 31, "Invalid syntax near '5'")
	f("SELECT SUM(x) FROM y WHERE 'a' = 'b'", 27, "Invalid syntax near ''a' = 'b''")
	f("SELECT SUM(x) FROM y WHERE a = 'b' OR c = 'd'", 35, "Invalid syntax near 'OR c = 'd''")
	f("SELECT SUM(x) FROM y WHERE a = 'b' AND", 38, "Invalid syntax near 'UM(x) FROM y WHERE a = 'b' AND'")
	f("SELECT SUM(x) FROM y WHERE a = 'b", 31, "Invalid syntax near ''b'")
	f(`SELECT SUM(x) FROM y WHERE a = 'b\'`, 31, `Invalid syntax near ''b\''`)
	f(`SELECT SUM(x) FROM ""`, 19, `Invalid syntax near '""'`)
	f("SELECT SUM(x) FROM y WHERE a = 'b\xff'", 31, "Invalid syntax near ''b\xff''")
	f("SELECT SUM(x) FROM y WHERE a = CURRENT_ACCOUNT_ID()", 31, "Invalid syntax. CURRENT_ACCOUNT_ID() is compared with AWS.AccountId only")
	f("SELECT SUM(x) FROM y WHERE AWS.AccountId = CURRENT_ACCOUNT_ID", 61, "Invalid syntax near 'AccountId = CURRENT_ACCOUNT_ID'")
	f("SELECT SUM(x) FROM y WHERE tag.env = 'prod'", 27, "Invalid syntax. 'tag.env' is the tag of a resource: resource tags are not supported here")
	f(`SELECT SUM(x) FROM y GROUP BY tag."my key"`, 30, "Invalid syntax. 'tag.my key' is the tag of a resource: resource tags are not supported here")
	f("SELECT SUM(x) FROM y GROUP a", 27, "Invalid syntax near 'a'")
	f("SELECT SUM(x) FROM y GROUP BY a, a", 33, "Invalid syntax. 'a' is in GROUP BY twice")
	f("SELECT SUM(x) FROM y GROUP BY a,", 32, "Invalid syntax near 'LECT SUM(x) FROM y GROUP BY a,'")
	f("SELECT SUM(x) FROM y GROUP BY Region, Year", 38, "Invalid syntax. Reserved keyword 'Year' must be surrounded by double quotes")
	f("SELECT SUM(x) FROM y ORDER BY a", 30, "Invalid syntax. 'a' is not a valid aggregate function")
	f("SELECT SUM(x) FROM y ORDER BY SUM(x)", 34, "Invalid syntax near 'x)'")
	f("SELECT SUM(x) FROM y ORDER SUM()", 27, "Invalid syntax near 'SUM()'")
	f("SELECT SUM(x) FROM y LIMIT 0", 27, "Invalid syntax near '0'")
	f("SELECT SUM(x) FROM y LIMIT -1", 27, "Invalid syntax near '-1'")
	f("SELECT SUM(x) FROM y LIMIT 5x", 27, "Invalid syntax near '5x'")
	f("SELECT SUM(x) FROM y LIMIT x", 27, "Invalid syntax near 'x'")
	f("SELECT SUM(x) FROM y LIMIT 5 GROUP BY a", 29, "Invalid syntax near 'GROUP BY a'")
	f("SELECT SUM(x) FROM y / 5", 21, "Invalid syntax near '/ 5'")
	f("SELECT SUM(x) FROM y;", 20, "Invalid syntax near ';'")
	f("SELECT "+strings.Repeat("é", MaxLength), 0, "The query has 2055 characters, more than 2048.")
}

// TestReservedWords checks every word that CloudWatch was seen to refuse.
func TestReservedWords(t *testing.T) {
	words := strings.Fields(reservedWords)
	assert.Len(t, words, 422)
	for _, word := range words {
		for _, spelled := range []string{word, strings.ToLower(word)} {
			assert.True(t, Reserved(spelled))
			_, err := Parse("SELECT AVG(" + spelled + ") FROM x")
			require.EqualError(t, err, "Invalid syntax. Reserved keyword '"+spelled+"' must be surrounded by double quotes")
			_, err = Parse("SELECT AVG(m) FROM x WHERE " + spelled + " = 'v'")
			require.Error(t, err, spelled)
			_, err = Parse("SELECT AVG(m) FROM x GROUP BY " + spelled)
			require.Error(t, err, spelled)
			q, err := Parse(`SELECT AVG("` + spelled + `") FROM "` + spelled + `" WHERE "` + spelled + `" = 'v' GROUP BY "` + spelled + `"`)
			require.NoError(t, err)
			again, err := Parse(q.String())
			require.NoError(t, err)
			assert.Equal(t, q, again)
		}
	}
	assert.False(t, Reserved("InstanceId"))
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId) WHERE a != 'b\'' AND AWS.AccountId = CURRENT_ACCOUNT_ID() GROUP BY c, "d e" ORDER BY MAX() DESC LIMIT 10`,
		`select sum(x) from y where :aws.AccountId = '1' order by count() asc`, `SELECT SUM(tag.x) FROM "a\"b\\"`, "SELECT SUM(x) FROM SCHEMA(y", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			require.LessOrEqual(t, e.Offset, len(text))
			return
		}
		printed := q.String()
		again, err := Parse(printed)
		if err != nil && len(printed) > len(text) && len(printed) > MaxLength {
			return // quotes that were not there made it too long
		}
		require.NoError(t, err, printed)
		require.Equal(t, q, again)
		require.Equal(t, printed, again.String())
	})
}
