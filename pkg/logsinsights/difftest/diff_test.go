// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package difftest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

// oddMessages are events where engines and languages like to differ.
var oddMessages = []string{
	`{"level":"ERROR","latency":250,"user":"bob","service":"api","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","duration_ms":1.5,"status":500}`,
	`{"level":"INFO","latency":100,"user":"ann","service":"api","duration_ms":12,"status":200}`,
	`{"level":"INFO","latency":100.0,"user":"ann","service":"","duration_ms":"12.50","status":"200"}`,
	`{"level":"WARN","latency":"100","user":null,"service":null,"duration_ms":"fast","status":"0200"}`,
	`{"level":30,"latency":1e2,"user":true,"service":7.50,"duration_ms":true,"status":404.5}`,
	`{"level":true,"latency":-0.0,"user":false,"service":{"name":"x"},"duration_ms":{"v":1},"status":5000000000}`,
	`{"level":"","latency":-0,"user":"true","service":["a"],"duration_ms":[1],"status":true}`,
	`{"level":null,"latency":1e400,"user":"1","duration_ms":1e400,"status":1e400}`,
	`{"Level":"ERROR","latency":"1e400","user":"  pad "}`,
	`{"latency":"1_000","user":"inf"}`, `{"latency":" 12 ","user":"nan"}`, `{"latency":"0x10","user":"NaN"}`,
	`{"latency":NaN,"user":"x"}`, `{"latency":-Infinity,"user":"x"}`, `{"latency":Infinity}`,
	`{"latency":5,"user":"trailing",}`, `{"latency":5,"user":"twice","user":"second","latency":6}`,
	`{"a.b":"flat","latency":1}`, `{"a":{"b":"nested"},"latency":2}`, `{"a":{"b":"nested"},"a.b":"flat"}`, `{"a":{"b":"nested"},"a.b":5}`, `{"a":{"b":{}},"a.b":"6"}`, `{"a":{"b":7},"a.b":8}`, `{"\u0061.b":9}`, `{"a.b":"flat","a":{"b":{"c":1}}}`,
	`{"a":{"b.c":"x"}}`, `{"a.b":{"c":"y"}}`, `{"a\u002eb":"escaped key"}`, `{"a":{"b":{"c":"deep"}}}`,
	`{"tags":["x","y"],"items":[{"id":"A1","qty":2},{"id":"B2","qty":5}]}`, `{"tags":{"1":"object"}}`, `{"tags":[1,2.50,true,null,{"a":1}]}`,
	`{"user":"quo\"te"}`, `{"user":"sl\/ash"}`, `{"user":"\u0062ob"}`, `{"user":"back\\slash"}`, `{"user":"nul\u0000byte"}`, `{"user":"héllo ✓"}`, `{"user":"\ud83d\ude00"}`,
	`{"user":"\ud83d"}`, `{"user":"a	b"}`, `{"user":"bob"} trailing`, `  {"user":"bob"}  ` + "\n", `{"user":"bob"`, `["bob"]`, `"bob"`, `123`, `true`, `null`, `{}`, `[]`, ` `,
	`{"@custom":"z","user":"at"}`, `{"":"empty key"}`, `{"user":"it's"}`, `{"user":"?"}`, `{"user":"%"}`,
	`{"latency":12345678901234567,"user":"big"}`, `{"latency":12345678901234568,"user":"bigger"}`, `{"latency":"12345678901234567","user":"big text"}`,
	`{"latency":123456789012345678901234567890}`, `{"latency":1.0e21}`, `{"latency":1e20}`, `{"latency":1e-7}`, `{"latency":0.000001}`, `{"latency":0.30000000000000004}`,
	`{"latency":9007199254740993}`, `{"latency":007}`, `{"latency":.5}`, `{"latency":5.}`, `{"latency":+5}`, `{"latency":"+5"}`, `{"latency":"5."}`, `{"latency":".5"}`,
	`{"trace_id":"1-5759e988-bd862e3fe1be46a994272793","user":"xray"}`, `{"trace_id":"4BF92F3577B34DA6A3CE929D0E0E4736"}`, `{"trace_id":"short"}`,
	"user=ann, method:GET, latency := 12", "user=bob, method:PUT, latency := 30", "user=, method:, latency := ", "user=a\nb, method:GET, x",
	"2024-05-01 [ERROR] disk full on sda1", "[WARN] cache [l2] miss", "ERROR", "error", "plain line", "",
	"2 123456789010 eni-1235b8ca 10.0.0.5 172.31.16.21 5000 3389 6 1 40 1418530010 1418530070 REJECT OK",
	"START RequestId: f612fbaf-65ce-4fd2-8d1b-6718fcb0b269 Version: $LATEST\n",
	"2024-05-01T12:00:00.005Z\tf612fbaf-65ce-4fd2-8d1b-6718fcb0b269\tERROR\t{\"user\":\"bob\",\"latency\":5,\"level\":\"deep\"}\n",
	"REPORT RequestId: f612fbaf-65ce-4fd2-8d1b-6718fcb0b269\tDuration: 2.03 ms\tBilled Duration: 3 ms\tMemory Size: 512 MB\tMax Memory Used: 70 MB\t\n",
	"REPORT RequestId: 0a1b2c3d-0000-4000-8000-000000000002\tDuration: 1394.60 ms\tMemory Size: 128 MB\tInit Duration: 428.60 ms\t\n",
	`INFO {broken {"user":"\u0062ob","service":"inner","duration_ms":7} {"user":"second"}`, "REPORT on sales", `level=ERROR user=bob`, "tab\tseparated\tline", "line one\nline two ERROR\n", "Kelvin \u212a", "ſharp", "ÀÉ",
}

func oddRecords(tenant store.Tenant, group string) []store.LogRecord {
	var records []store.LogRecord
	for i, m := range oddMessages {
		r := store.LogRecord{
			Tenant: tenant, Group: group, Stream: fmt.Sprintf("s%d", i%3), Timestamp: day + int64(i)*37_123, Ingested: day + int64(i)*37_123 + 500,
			Message: m,
		}
		promote(&r)
		records = append(records, r)
	}
	return records
}

var diffQueries = []string{
	`fields @timestamp, @message`, `fields @message | sort @timestamp asc`, `fields @message | limit 5`, `fields @message | sort @timestamp asc | limit 7`,
	`filter @message like "ERROR" | limit 3`, `filter @message like /ERROR/`, `filter @message like /(?i)error/ | fields @message`, `filter @message not like "ERROR"`,
	`filter @message like ""`, `filter @message like /^$/`, `filter @message like /a.b/`, `filter @message like /(?s)a.b/`, `filter @message like /(?m)^line two/`, `filter @message like /\bdisk\b/`,
	`filter @message like /k/`, `filter @message like /(?i)k/`, `filter @message like /(?i)s/`, `filter @message like /[[:alpha:]]{4}\s\d+/`, `filter @message like /\pL✓|\p{Greek}/`, `filter @message like /.\z/`,
	`filter level = "ERROR"`, `filter level != "ERROR"`, `filter not (level = "ERROR")`, `filter level in ["ERROR", "WARN"]`, `filter level not in ["ERROR", "WARN", 30]`, `filter level = 30`, `filter level = "30"`, `filter level = "1"`, `filter level = ""`,
	`filter ispresent(level)`, `filter not ispresent(level)`, `filter isempty(level)`, `filter isempty(level) = 1`, `filter isempty(level) = 0`, `filter ispresent(service) = 1`, `filter ispresent(duration_ms)`, `filter ispresent(status)`,
	`filter latency > 99`, `filter latency >= 100`, `filter latency < 100`, `filter latency <= 5 and latency > 0`, `filter latency = 100`, `filter latency = "100"`, `filter latency != 100`, `filter not latency = 100`, `filter latency = 0`, `filter latency = "1e2"`,
	`filter latency = 12345678901234567`, `filter latency = "12345678901234567"`, `filter latency != 12345678901234567`, `filter latency in [12345678901234568, 5]`, `filter latency = 1e20`, `filter latency > 1e15`,
	`filter 100 < latency`, `filter 100 = latency`, `filter latency = -5 or latency = 5`, `filter latency like "1"`, `filter latency like /^1/`, `filter latency like "true"`, `filter user like "1"`,
	`filter user = "bob"`, `filter user = "true"`, `filter user = true`, `filter user = 1`, `filter user != "true"`, `filter user = "1"`, `filter user in ["true", "bob"]`, `filter user < "b"`, `filter user >= "b"`, `filter user > "1"`, `filter user = "it's"`, `filter user = "?"`, `filter user = "%"`,
	`filter user = "quo\"te"`, `filter user = "sl/ash"`, `filter user = "back\\slash"`, `filter user = "héllo ✓"`, `filter user = "  pad "`, `filter user like /^.$/`, `filter strcontains(user, "o")`, `filter isNumeric(user)`, `filter isNumeric(latency) = 0`,
	`filter a.b = "flat"`, `filter a.b = "nested"`, `filter ispresent(a.b)`, `filter a.b > 1`, `stats sum(a.b), count(a.b)`, `filter a.b = 6`, `filter a.b.c = "deep" or a.b.c = "x" or a.b.c = "y"`, `fields a.b, a.b.c`, `stats count(*) by a.b`, `stats count(*) by a.b.c`, `stats count(*) as n by ` + "`a.b`",
	`filter tags.1 = "y"`, `filter tags.1 = "object"`, `filter tags.1 > 2`, `stats count(*) by tags.0`, `stats count(*) by tags.2`, `filter items.1.qty = 5`, `filter items[0].id = "A1"`, `stats sum(items.0.qty)`, `filter @@custom = "z"`, `filter @custom = "z"`,
	`filter status >= 400`, `filter status = 200`, `filter status = "0200"`, `filter status != 200`, `stats count(*) by status`, `stats sum(status), count(status), max(status)`,
	`filter duration_ms > 1`, `filter duration_ms = 12.5`, `filter duration_ms = "fast"`, `filter duration_ms != 12`, `stats count(*) by duration_ms`, `stats avg(duration_ms), sum(duration_ms), min(duration_ms), max(duration_ms), count(duration_ms), pct(duration_ms, 50), pct(duration_ms, 95)`,
	`filter trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"`, `filter trace_id = "1-5759e988-bd862e3fe1be46a994272793"`, `filter trace_id = "4BF92F3577B34DA6A3CE929D0E0E4736"`, `filter trace_id = "short"`, `filter trace_id = "4bf92f3577b34da6a3ce929d0e0e4736" | stats count(*)`, `stats count(*) by trace_id`, `filter trace_id != "short"`,
	`stats count(*)`, `stats count(*) by level`, `stats count(*) by service`, `stats count(*) by level, service`, `stats count(*) by user`, `stats count(*) by latency`, `stats count(latency), count(user), count(nothing)`, `stats count_distinct(latency), count_distinct(user), count_distinct(level), count_distinct(@timestamp), count_distinct(@logStream)`,
	`stats sum(latency), avg(latency), min(latency), max(latency)`, `stats sum(duration_ms) by service`, `stats stddev(duration_ms), variance(duration_ms)`, `stats sum(nothing), count(*) by nothing`, `stats pct(duration_ms, 0), pct(duration_ms, 100), pct(duration_ms, 33.3)`,
	`stats count(*) by bin(5m)`, `stats count(*) by bin(1h), level`, `stats count(*) by bin(1d)`, `stats count(*) by bin(1w)`, `stats count(*) by bin(1mo)`, `stats count(*) by bin(7m)`, `stats count(*) by datefloor(@timestamp, 10m)`, `stats count(*) by dateceil(@timestamp, 10m)`, `stats count(*) by datefloor(@ingestionTime, 1h)`, `stats max(@timestamp), min(@timestamp), count(@timestamp)`, `stats count(*) by @timestamp`,
	`stats earliest(level), latest(level), latest(@timestamp), earliest(@timestamp)`, `stats earliest(user), latest(user)`, `stats latest(@message)`, `stats earliest(service) by level`, `stats latest(duration_ms + 1)`,
	`stats sum(duration_ms)/count(*) as x, max(duration_ms) - min(duration_ms) as y`, `stats sum(duration_ms * 2 + 1) as s`, `stats sum(latency / 0)`, `stats sum(duration_ms % 5), avg(-duration_ms)`, `fields duration_ms / 2 as h | stats sum(h) by h`, `fields duration_ms / 2 as h | filter h > 1 | stats count(*)`, `stats sum(1e308 * duration_ms)`, `stats sum(duration_ms ^ 2)`, `stats count(*) by duration_ms + 1`,
	`filter level = "ERROR" | stats count(*) by service`, `filter @message like "user" and latency > 1 | stats count(*) by user`, `filter @message like /user/ or level = "ERROR" | stats count(*)`, `filter not (@message like "user" or level = "ERROR") | stats count(*)`, `filter abs(latency) > 5 and level = "INFO" | fields user`, `filter abs(latency) > 5 or level = "INFO" | stats count(*)`,
	`parse @message "user=*, method:*, latency := *" as u, m, l | stats count(*) by u, m`, `parse @message "user=*, *" as u, rest | stats count(*) by u | sort u asc`, `parse @message /user=(?<u>\w+), method:(?<m>\w+)/ | stats count(*) by u`, `parse @message /user=(?<u>\w*)/ | stats count(*) by u`, `parse @message /user=(?<u>\w+)?/ | stats count(*) by u`, `parse @message /(?<a>x)|(?<b>u)/ | stats count(*) by a, b`,
	`parse @message "user=*, method:*, latency := *" as u, m, l | filter l > 15 | stats max(l)`, `parse @message "[*]" as lv | filter not ispresent(lv) | stats count(*)`, `parse @message "[*] *" as lt, lm | filter lt = "ERROR" | display lm`, `parse user "*o*" as a, b | stats count(*) by a, b`, `parse @logStream "s*" as n | stats count(*) by n`, `parse @message /(?<num>\d+)/ | stats sum(num), count(num)`, `parse @message "*ERROR*" as before, after | stats count(*) by before`,
	`stats count(*) by @logStream`, `filter @logStream = "s1"`, `filter @logStream like /s[12]/ | stats count(*)`, `filter @timestamp > 1714565000000 | stats count(*)`, `filter toMillis(@timestamp) >= 1714565000000`, `filter @timestamp < 1714565000000 | fields @timestamp`, `filter @ingestionTime = 1714564800500`,
	`stats count(*) as n by user | filter n > 1 | sort n desc, user asc | limit 3`, `stats count(*) as n by level | stats max(n), sum(n)`, `filter action = "REJECT"`, `stats count(*) by action`, `filter version = 2`, `filter @type = "REPORT"`, `stats count(*) by @type`, `dedup user | limit 4`, `fields user | sort user desc | limit 6`, `fields latency | sort latency asc`, `fields user, latency | sort latency desc, user asc | limit 10`,
	`filter user`, `filter true`, `filter false`, `filter not true or level = "ERROR"`, `filter level like "E" and level like "R"`, `filter level like /^E/ and not level like /z/ | stats count(*) by level`, `filter level = service`, `filter latency = status`, `filter duration_ms > latency`, `filter duration_ms + 1 > 2`, `filter duration_ms + 1 = 2.5`, `filter 1 = 1`, `filter latency in [100, "x", -5]`, `filter level not like "O" | stats count(*)`, `filter nothing = 1`, `filter nothing != 1`, `filter nothing not like "x" | stats count(*)`,
	`filter @type = "REPORT" | stats max(@duration), sum(@memorySize) by @requestId`, `filter @requestId = "f612fbaf-65ce-4fd2-8d1b-6718fcb0b269"`, `filter "REPORT" = @type and @duration > 5`, `filter @type != "REPORT" | stats count(*)`,
	`filter user = "bob" and @requestId like "f612" | stats count(*)`, `filter service = "inner" or action = "REJECT"`, `filter user in ["bob", "second"] | stats count(*) by level`, `filter user like "econ" or user like "ob"`, `filter @xrayTraceId = "x"`,
	"filter ` ` = 1", "filter `it's` = 1",
}

func TestDifferential(t *testing.T) {
	e := openEngine(t)
	tenant := store.Tenant{Account: "123456789012", Region: "eu-west-1"}
	require.NoError(t, e.WriteLogs(t.Context(), oddRecords(tenant, "/app/odd")))
	require.NoError(t, e.WriteLogs(t.Context(), oddRecords(tenant, "/aws/lambda/odd")))
	for _, q := range diffQueries {
		compare(t, e, selection(tenant, "/app/odd"), q)
		compare(t, e, selection(tenant, "/app/odd", "/aws/lambda/odd"), q)
	}
}
