// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// roundTrips are queries and how they print.
var roundTrips = map[string]string{
	`fields @timestamp, @message | sort @timestamp desc | limit 20`:            `fields @timestamp, @message | sort @timestamp desc | limit 20`,
	`FIELDS a AS b,c+1|WHERE a=1 AND NOT b like 'x' OR c in [1,"2"]`:           `fields a as b, c + 1 | filter a = 1 and not b like "x" or c in [1, "2"]`,
	`filter not (a = 1 or b = 2) and c != -3`:                                  `filter not (a = 1 or b = 2) and c != -3`,
	`filter !ispresent(x)`:                                                     `filter not ispresent(x)`,
	`filter a =~ /x\/y[/]z/`:                                                   `filter a like /x\/y[/]z/`,
	`filter a not in ["x"] | filter (a + b) * c - d / (e % f) ^ 2 > 1e-3`:      `filter a not in ["x"] | filter (a + b) * c - d / (e % f) ^ 2 > 1e-3`,
	`filter 2 ^ 3 ^ 2 = (2 ^ 3) ^ 2`:                                           `filter 2 ^ 3 ^ 2 = (2 ^ 3) ^ 2`,
	`filter (a = 1) = (b = 2)`:                                                 `filter (a = 1) = (b = 2)`,
	`filter a - (b - c) = -(-d)`:                                               `filter a - (b - c) = --d`,
	`stats COUNT(*), Count_Distinct(x) as n, pct(y, 95) by bin(5m), z as zz`:   `stats count(*), count_distinct(x) as n, pct(y, 95) by bin(5m), z as zz`,
	"parse @message \"a*b\" as x | parse /(?<y>\\d+)/ | display x, `odd name`": "parse @message \"a*b\" as x | parse /(?<y>\\d+)/ | display x, `odd name`",
	"fields a.b.0.c, m.`x.y`.z, m[3].n, jsonParse(p).k[1].`q r`":               "fields a.b.0.c, m.`x.y`.z, m[3].n, jsonParse(p).k[1].`q r`",
	"fields @`aws.tag.k:x`, `12`, `and`, `a.b`":                                "fields `@aws.tag.k:x`, `12`, `and`, `a.b`",
	"fields a # comment\n# | filter x = 1\n| limit 3":                          "fields a | limit 3",
	`unnest jsonParse(x) into y | dedup a, b | limit 1`:                        `unnest jsonParse(x) into y | dedup a, b | limit 1`,
	`sort a, b desc, c asc`:                                                    `sort a asc, b desc, c asc`,
	`order by a`:                                                               `sort a asc`,
	`accum x as y`:                                                             `accum x as y`,
	`filter x = "q\"uo\\te\n\d" or x = 'it\'s'`:                                `filter x = "q\"uo\\te\n\\d" or x = "it's"`,
	`filter true and not false`:                                                `filter true and not false`,
	`SOURCE "g1" 'g2' START=1 END=2 | fields a`:                                `SOURCE "g1" "g2" START=1 END=2 | fields a`,
	`source logGroups(namePrefix: ['a','b'], class:["STANDARD"]) | fields a`:   `SOURCE logGroups(namePrefix: ["a", "b"], class: ["STANDARD"]) | fields a`,
	`source logGroups() | limit 1`:                                             `SOURCE logGroups() | limit 1`,
	`fields datefloor(@timestamp, 1hr) as t, dateceil(t2, 2mins), if(a, b, c)`: `fields datefloor(@timestamp, 1hr) as t, dateceil(t2, 2mins), if(a, b, c)`,
	`parse x /(\d+) (\w+)/ as a, b`:                                            `parse x /(\d+) (\w+)/ as a, b`,
	`fields strlen (a)`:                                                        `fields strlen(a)`,
	"fields strlen, bin, `true`, x.true":                                       "fields strlen, bin, `true`, x.true",
	"filter a like /x/ | filter b like \"/\" and c / d = 1":                    "filter a like /x/ | filter b like \"/\" and c / d = 1",
}

func TestRoundTrip(t *testing.T) {
	for query, want := range roundTrips {
		q, err := Parse(query)
		require.NoError(t, err, query)
		require.Equal(t, want, q.String(), query)
		again, err := Parse(q.String())
		require.NoError(t, err, q.String())
		require.Equal(t, want, again.String())
	}
}

func TestParseFailure(t *testing.T) {
	f := func(query string, start, end int, want string) {
		t.Helper()
		_, err := Parse(query)
		var e *SyntaxError
		require.ErrorAs(t, err, &e, query)
		require.Contains(t, e.Message, want, query)
		require.Equal(t, [2]int{start, end}, [2]int{e.Start, e.End}, "%s: %s", query, e.Message)
	}
	f(``, 0, 0, "it is empty")
	f(`count(*)`, 0, 5, "mismatched input 'count' expecting {K_PARSE, K_SEARCH, K_FIELDS, K_DISPLAY, K_FILTER, K_SORT, K_ORDER, K_HEAD, K_LIMIT, K_TAIL}")
	f(`| fields a`, 0, 1, "mismatched input '|' expecting")
	f(`fields a |`, 10, 10, "mismatched input '<EOF>' expecting")
	f(`fields a bad`, 9, 12, "unexpected symbol found bad at line 1 and position 9")
	f("fields a\n| filter é = 1", 18, 19, "unexpected symbol found é at line 2 and position 9")
	f("filter a = \"é\" bad", 15, 18, "unexpected symbol found bad")
	f(`stats count(* by bin(5m)`, 14, 16, `expected ")"`)
	f(`stats nosuch(a)`, 6, 12, "unknown function nosuch")
	f(`stats topk(3, a)`, 6, 10, "the function topk is not supported")
	f(`filter a like`, 13, 13, "unexpected end of query")
	f(`filter a like b`, 14, 15, "expected a text or a /regular expression/")
	f(`filter a =~ "x"`, 12, 15, "expected a /regular expression/")
	f(`filter a like /(/`, 14, 17, "invalid regular expression")
	f(`filter a like /x`, 14, 16, "not closed with /")
	f(`filter a = "x`, 11, 13, "string is not closed")
	f("fields `a", 7, 9, "backtick is not closed")
	f("fields ``", 7, 9, "empty name in backticks")
	f(`filter a in []`, 13, 14, "expected an expression")
	f(`filter a in (SOURCE "g" | fields f)`, 12, 13, "a subquery behind in is not supported")
	f(`filter a = 1 = 2`, 13, 14, "unexpected symbol found =")
	f(`fields a as`, 11, 11, "expected a name behind as")
	f(`fields a as 5`, 12, 13, "expected a name behind as")
	f(`fields a[x]`, 9, 10, "expected an index")
	f(`fields a, `, 10, 10, "expected an expression")
	f(`fields a;b`, 8, 9, "unexpected symbol found ;")
	f(`limit 0`, 6, 7, "from 1 to 100000")
	f(`limit 100001`, 6, 12, "from 1 to 100000")
	f(`limit x`, 6, 7, "expected a number of rows")
	f(`limit any 5`, 6, 9, "limit any is not supported")
	f(`parse @message "a"`, 15, 18, "has no *")
	f(`parse @message "a*b*" as x`, 0, 26, "has 2 * but 1 names")
	f(`parse @message /x/`, 15, 18, "has no named group")
	f(`parse @message /(?<a>x)/ as b`, 0, 29, "takes no names")
	f(`parse @message /(x)(y)/ as b`, 0, 28, "has 2 groups but 1 names")
	f(`parse @message logfmt as x`, 15, 21, "parse logfmt is not supported")
	f(`parse @message /(?<a>x)/ multi`, 25, 30, "parse with multi is not supported")
	f(`stats count(*) by bin(5m) offset 1h`, 26, 32, "offset is not supported")
	f(`pattern @message`, 0, 7, "the command pattern is not supported")
	f(`fields a | diff`, 11, 15, "Diff operation has to be used after Pattern")
	f(`fields a | SOURCE "x"`, 11, 17, "SOURCE must be the first command")
	f(`SOURCE dataSource(['x'])`, 7, 17, "dataSource in SOURCE is not supported")
	f(`SOURCE logGroups(class: ['FAST'])`, 31, 32, `unknown log group class "FAST"`)
	f(`accum x`, 7, 7, `expected "as"`)
	f(`fields 1e999`, 7, 12, "out of range")
	f("fields "+strings.Repeat("(", 200)+"1", 107, 108, "nested deeper than 100 levels")
	f(strings.Repeat("x", 10_001), 0, 10_001, "the limit is 10000")
	f("fields \xff", 0, 0, "not valid UTF-8")
	for _, name := range unsupportedCommands {
		if name == "diff" {
			continue
		}
		f("fields a | "+name+" x", 11, 11+len(name), "the command "+name+" is not supported")
	}
}

func TestCheckFailure(t *testing.T) {
	f := func(query string, start, end int, want string) {
		t.Helper()
		q, err := Parse(query)
		require.NoError(t, err, query)
		_, err = Compile(q, Options{})
		var e *SyntaxError
		require.ErrorAs(t, err, &e, query)
		require.Contains(t, e.Message, want, query)
		require.Equal(t, [2]int{start, end}, [2]int{e.Start, e.End}, "%s: %s", query, e.Message)
	}
	f(`fields a as b | fields c as b`, 28, 29, "Ephemeral field is already defined: b ([28,29])")
	f(`fields "é" as b | fields c as b`, 30, 31, "Ephemeral field is already defined: b ([30,31])")
	f(`parse @message "a*" as x | fields x as x`, 39, 40, "Ephemeral field is already defined: x")
	f(`stats count(*) as n by l | stats max(n) as n`, 43, 44, "Ephemeral field is already defined: n")
	f(`stats count(*) by l | filter user = "x"`, 29, 33, "Unknown symbols found in or after stats: user")
	f(`stats count(*) + user`, 17, 21, "Unknown symbols found in or after stats: user")
	f(`stats count(*) by l | stats count(*) by bin(5m)`, 40, 47, "Unknown symbols found in or after stats: @timestamp")
	f(`filter count(*) > 1`, 7, 15, "the aggregate function count can be used in stats only")
	f(`stats sum(max(x))`, 10, 16, "the aggregate function max can be used in stats only")
	f(`sort a | stats count(*)`, 0, 6, "sort and limit must come behind the last stats")
	f(`limit 1 | stats count(*)`, 0, 7, "sort and limit must come behind the last stats")
	f(`dedup a | sort a`, 10, 16, "only limit may follow dedup")
	f(`dedup a | stats count(*)`, 10, 24, "only limit may follow dedup")
	f(`fields strlen()`, 7, 15, "the function strlen takes 1 argument, not 0")
	f(`fields substr(a)`, 7, 16, "the function substr takes 2 to 3 arguments, not 1")
	f(`fields concat()`, 7, 15, "the function concat takes at least 1 argument, not 0")
	f(`fields strcontains(a, "b", 1)`, 7, 29, "takes 2 arguments, not 3")
	f(`stats pct(a, 101)`, 13, 16, "a number from 0 to 100")
	f(`stats pct(a, b)`, 13, 14, "a number from 0 to 100")
	f(`stats sum(a, b)`, 6, 15, "the function sum takes 1 argument, not 2")
	f(`fields bin(x)`, 11, 12, "the function bin takes a period")
	f(`fields datefloor(@timestamp)`, 7, 28, "the function datefloor takes 2 arguments")
	f(`fields isIpInSubnet(a, "10.0.0.0/99")`, 23, 36, "is no subnet")
	f(`fields isIpv4InSubnet(a, "::/0")`, 25, 31, "is no subnet")
	f(`fields isIpInSubnet(a, b)`, 23, 24, "must be a text, the subnet")
	f(`fields regexReplace(a, "(", "")`, 23, 26, "invalid regular expression")
	f(`fields regexReplace(a, b, "")`, 23, 24, "must be a text, the regular expression")
	f(`fields formatDate(@timestamp, "%Q")`, 30, 34, "the conversion %Q")
	f(`fields formatDate(@timestamp, "%Y", "Nowhere/Land")`, 36, 50, "unknown time zone")
	f(`fields parseDate(a, "yyyy-QQ")`, 20, 29, `"QQ" in the pattern`)
	f(`fields `+strings.Repeat("a.", 10)+`b`, 7, 28, "has 11 parts, the limit is 10")
	f(strings.Repeat(`stats count(*) | `, 10)+`stats count(*)`, 170, 184, "a query may have 10 stats commands")

	q, err := Parse(`fields a`)
	require.NoError(t, err)
	_, err = Compile(q, Options{Limit: 100_001})
	require.ErrorContains(t, err, "limit must be from 1 to 100000")
}

// TestSamples compiles queries of AWS's documentation and of its users.
func TestSamples(t *testing.T) {
	for _, query := range []string{
		"fields @timestamp, @message, @logStream, @log\n| sort @timestamp desc\n| limit 20\n",
		`filter @type = "REPORT" | fields @requestId, @billedDuration | sort by @billedDuration desc`,
		`filter @type = "REPORT" | stats max(@memorySize / 1000 / 1000) as provisonedMemoryMB, min(@maxMemoryUsed / 1000 / 1000) as smallestMemoryRequestMB, avg(@maxMemoryUsed / 1000 / 1000) as avgMemoryUsedMB, max(@maxMemoryUsed / 1000 / 1000) as maxMemoryUsedMB, provisonedMemoryMB - maxMemoryUsedMB as overProvisionedMB`,
		`filter @message like /(?i)(Exception|error|fail|5\d\d)/ | stats count(*) as exceptionCount by bin(5m) | sort exceptionCount desc`,
		`stats sum(packets) as packetsTransferred by srcAddr, dstAddr | sort packetsTransferred  desc | limit 15`,
		`filter isIpv4InSubnet(srcAddr, "192.0.2.0/24") | fields @timestamp, @message`,
		`stats count(*) by queryType, bin(1h)`,
		`filter (eventName="StartInstances" or eventName="StopInstances") and awsRegion="us-east-2"`,
		`filter eventSource="iam.amazonaws.com" and userIdentity.type = "AssumedRole" | stats count(*) as numberOfEvents by userIdentity.sessionContext.sessionIssuer.userName, responseElements.user.userName`,
		`filter status>=400 and status<=499 | fields @timestamp, status, ip, path, httpMethod`,
		"fields @timestamp, `detail-type` | stats count(*) as n by `detail-type` | sort n desc",
		`filter tlsDetails.tlsVersion in [ "TLSv1", "TLSv1.1" ] | stats count(*) as numOutdatedTlsCalls by userIdentity.accountId, recipientAccountId, eventSource, eventName, awsRegion`,
		`fields @message | parse @message "user=*, method:*, latency := *" as @user, @method, @latency | stats avg(@latency) by @method, @user`,
		`fields @message | parse @message /user=(?<user2>.*?), method:(?<method2>.*?), latency := (?<latency2>.*?)/ | stats avg(latency2) by method2, user2`,
		`fields @timestamp, @message | parse @message "[*] *" as loggingType, loggingMessage | filter loggingType IN ["ERROR", "INFO"] | display loggingMessage, loggingType = "ERROR" as isError`,
		`fields jsonParse(@message) as json_message | unnest json_message.bookings into booking | display booking.id`,
		`fields @timestamp, server, severity, message | sort @timestamp desc | dedup server, severity | limit 10`,
		`stats sum(bytes) as Data_Transferred by srcAddr as Source_IP, bin(1h) as t | stats max(Data_Transferred) as peak by t | sort t`,
		`filter ispresent(errorCode) and errorCode != '' | fields concat(a, " ", b) as ab, dateceil(@timestamp, 1d)`,
		`fields @timestamp, @message | filter toMillis(@timestamp) >= now() * 1000 - 7200000`,
		`fields fieldsA, abs(1) | where x not like /y/ | order @timestamp asc`,
		`stats pct(@initDuration, 95)/1000 as p95, count(*)/5 by strcontains(@message, "x") as has`,
	} {
		q, err := Parse(query)
		require.NoError(t, err, query)
		_, err = Compile(q, Options{Dialect: stubDialect{}, Promoted: true})
		require.NoError(t, err, query)
	}
}

func FuzzParse(f *testing.F) {
	for q := range roundTrips {
		f.Add(q)
	}
	cases, data := loadConformance(f)
	for _, c := range cases {
		f.Add(c.Query)
	}
	m := &memStore{}
	for _, records := range data {
		m.records = append(m.records, records...)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := Parse(query)
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || e.Start > e.End || e.Message == "" {
				t.Fatalf("%q: %#v", query, err)
			}
			return
		}
		again, err := Parse(q.String())
		if err != nil {
			t.Fatalf("%q prints as %q: %v", query, q, err)
		}
		if again.String() != q.String() {
			t.Fatalf("%q prints as %q, and that as %q", query, q, again)
		}
		p, err := Compile(q, Options{})
		if err != nil {
			return
		}
		res, err := runQuery(t.Context(), m, []string{"/app/api", "/aws/lambda/fn"}, query, Options{MaxBytes: 1 << 22})
		if err != nil && !errors.Is(err, ErrLimit) {
			t.Fatalf("%q: %v", query, err)
		}
		_ = res
		_ = p.Explain()
	})
}
