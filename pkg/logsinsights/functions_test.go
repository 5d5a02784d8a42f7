// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logsinsights

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/internal/store"
)

// evalIn evaluates an expression for one event.
func evalIn(t *testing.T, expr, message string) string {
	t.Helper()
	m := &memStore{records: []store.LogRecord{{
		Tenant: testTenant, Group: "/app/api", Stream: "s1", Timestamp: 1714564800123, Ingested: 1714564801000, Seq: 7, Message: message,
	}}}
	res, err := runQuery(t.Context(), m, []string{"/app/api"}, "fields "+expr+" as x", Options{
		Start: 1714561200000, End: 1714564800999, Now: func() time.Time { return time.UnixMilli(1714564800999) },
	})
	require.NoError(t, err, expr)
	require.Len(t, res.Rows, 1)
	require.Equal(t, "@ptr", res.Rows[0][len(res.Rows[0])-1].Name)
	if len(res.Rows[0]) == 1 {
		return "missing"
	}
	require.Equal(t, "x", res.Rows[0][0].Name)
	return res.Rows[0][0].Value
}

func TestFunctions(t *testing.T) {
	const message = `{"n":-5,"f":1.26,"s":"xyZ","d":"12","big":12345678901234567,"bigger":12345678901234568,"yes":true,"no":false,"nil":null,` +
		`"ip":"10.1.2.3","list":"[1, \"a\", {\"k\":[true]}]","e":"","date":"2024-05-01 12:00:00.250 +0200","u":"héllo","long":1.23456789,"exp":1e21,"tiny":1e-7}`
	for expr, want := range map[string]string{
		// Numbers and how they print.
		`1 / 3`: "0.3333", `2 / 3`: "0.6667", `-1 / 3`: "-0.3333", `1 / 0`: "missing", `0 / 0`: "missing", `5 % 0`: "missing", `-7 % 3`: "-1", `0.00001`: "0", `-0.00001`: "0", `-0`: "0",
		`1e300 * 1e300`: "missing", `123456789 * 1000000`: "123456789000000", `1.10`: "1.1", `1e3`: "1000", `7.48`: "7.48", `2 ^ 0.5`: "1.4142", `(-8) ^ 0.5`: "missing", `2 ^ 3 ^ 2`: "512", `-2 ^ 2`: "4",
		`long`: "1.23456789", `long + 0`: "1.2346", `exp`: "1e21", `exp + 0`: "1000000000000000000000", `tiny`: "1e-7", `big`: "12345678901234567", `big + 0`: "12345678901234568",
		`s + 1`: "missing", `nil`: "missing", `yes`: "1", `no`: "0", `yes + 1`: "2", `true`: "1",
		// Comparisons.
		`d = 12`: "1", `d = "12.0"`: "1", `12 = d`: "1", `s = "xyZ"`: "1", `s = "xyz"`: "0", `s > "xya"`: "0", `s < "xya"`: "1", `s < 5`: "0", `s >= 5`: "0", `nil = nil`: "0", `nil != 1`: "0", `n != 1`: "1", `s != 5`: "1",
		`big = bigger`: "0", `big = 12345678901234567`: "0", `big = "12345678901234567"`: "1", `big != bigger`: "1", `big = big`: "1",
		`yes = 1`: "1", `yes = "true"`: "1", `yes = true`: "1", `no = "false"`: "1", `yes = "1"`: "1", `yes != "true"`: "0", `yes = "yes"`: "0", `s = true`: "0", `no = 0`: "1",
		`@timestamp > 1714564800000`: "1", `@timestamp = "2024-05-01 12:00:00.123"`: "1", `d in [1, "12"]`: "1", `nil in [1]`: "0", `nil not in [1]`: "1", `d not in ["12"]`: "0",
		`s like "yZ"`: "1", `n like "-"`: "1", `nil like "x"`: "0", `nil not like "x"`: "1", `s =~ /^xy/`: "1", `not s`: "1", `not d`: "0", `not 0`: "1", `not nil`: "1", `1 = 1 and 2 = 3 or 1 = 1`: "1",
		// Numeric functions.
		`abs(n)`: "5", `ceil(f)`: "2", `floor(n / 2)`: "-3", `sqrt(-1)`: "missing", `log(0)`: "missing", `greatest(1, "9", n)`: "9", `least(1, n)`: "-5", `greatest(1, s)`: "missing", `greatest(1, nil)`: "missing",
		`round(2.5)`: "3", `round(-2.5)`: "-3", `round(1.005, 2)`: "1", `round(1234.5, -2)`: "1200", `round(f, 5)`: "1.26", `round(f, s)`: "missing", `toInt("3000000000")`: "missing", `toInt(-1.9)`: "-1", `toLong("9223372036854775807")`: "9223372036854775807", `toLong("9223372036854775808")`: "missing", `toLong(1e30)`: "missing",
		`toNumber(s)`: "missing", `toDouble("1.5")`: "1.5", `floor(haversine(48.2082, 16.3738, 47.0707, 15.4395))`: "144",
		// General functions.
		`ispresent(e)`: "1", `ispresent(nil)`: "0", `isempty(e)`: "1", `isempty(nil)`: "1", `isempty(n)`: "0", `isblank(" \t")`: "1", `coalesce(nil, e, s)`: "", `if(nil, 1, 2)`: "2", `if(s like "y", "a", "b")`: "a",
		`case(n > 0, "p", n < 0, "m")`: "m", `case(n > 0, "p", "z")`: "z", `case(n > 0, "p")`: "missing", `isNumeric(d)`: "1", `isNumeric(nil)`: "0", `messageSize(u)`: "6",
		`queryStartTime()`: "1714561200000", `queryEndTime()`: "1714564800999", `queryTimeRange()`: "3600999", `now()`: "1714564800",
		// Strings.
		`concat(s, n, f)`: "xyZ-51.26", `concat(s, nil)`: "missing", `strlen(u)`: "5", `substr(u, 1, 2)`: "él", `substr(u, 4)`: "o", `substr(u, 9)`: "", `substr(u, 0, 0)`: "", `substr(u, -1)`: "missing", `substr(u, 1, -1)`: "missing", `toupper(u)`: "HÉLLO",
		`replace(s, "", "-")`: "xyZ", `replace("aaa", "aa", "b")`: "ba", `regexReplace("a1b22", "[0-9]+", "<$0>")`: "a<1>b<22>", `strcontains(nil, "x")`: "0", `startsWith(n, "-")`: "1", `endsWith(s, "")`: "1",
		`urlencode("a b/é")`: "a%20b%2F%C3%A9", `urldecode("a+b%")`: "missing", `urldecode("%ff")`: "missing", `base64decode("!")`: "missing", `base64decode("/w==")`: "missing", `trim("  a ")`: "a", `ltrim("xxa", "x")`: "a", `tolower(nil)`: "missing",
		// Dates.
		`@timestamp`: "2024-05-01 12:00:00.123", `toMillis(@timestamp)`: "1714564800123", `fromMillis(0)`: "1970-01-01 00:00:00.000", `fromMillis(s)`: "missing", `bin(5m)`: "2024-05-01 12:00:00.000", `bin(1d)`: "2024-05-01 00:00:00.000", `bin(1w)`: "2024-04-29 00:00:00.000",
		`bin(1mo)`: "2024-05-01 00:00:00.000", `bin(1q)`: "2024-04-01 00:00:00.000", `bin(1y)`: "2024-01-01 00:00:00.000", `bin(50ms)`: "2024-05-01 12:00:00.100", `bin(90m)`: "2024-05-01 12:00:00.000", `bin(300s)`: "2024-05-01 12:00:00.000",
		`dateceil(@timestamp, 1h)`: "2024-05-01 13:00:00.000", `dateceil(fromMillis(3600000), 1h)`: "1970-01-01 01:00:00.000", `dateceil(@timestamp, 1mo)`: "2024-06-01 00:00:00.000", `dateceil(@timestamp, 1w)`: "2024-05-06 00:00:00.000", `dateceil(@timestamp, 1q)`: "2024-07-01 00:00:00.000", `dateceil(@timestamp, 2y)`: "2026-01-01 00:00:00.000", `datefloor(s, 1h)`: "missing", `datefloor(1714564800123, 1h)`: "2024-05-01 12:00:00.000",
		`formatDate(@timestamp, "%Y-%m-%d %H:%M:%S.%L %j %u %%")`: "2024-05-01 12:00:00.123 122 3 %", `formatDate(@timestamp, "%H:%M %z", "+02:00")`: "14:00 +0200", `formatDate(@timestamp, "%H %Z", "America/New_York")`: "08 EDT", `formatDate(@timestamp, "%F %T %s %e %k %l %p %a %b %C %V %G %w %f%n%t")`: "2024-05-01 12:00:00 1714564800  1 12 12 PM Wed May 20 18 2024 3 123000\n\t", `formatDate(s, "%Y")`: "missing",
		`parseDate(date, "yyyy-MM-dd HH:mm:ss.SSS Z")`: "1714557600250", `parseDate("01/May/2024", "dd/MMM/yyyy")`: "1714521600000", `parseDate("2024-05-01T10:00", "yyyy-MM-dd'T'HH:mm", "+02:00")`: "1714550400000", `parseDate("nope", "yyyy")`: "missing",
		// Addresses.
		`isValidIp(ip)`: "1", `isValidIpV6("::1")`: "1", `isPublicIP("8.8.8.8")`: "1", `isPublicIP(ip)`: "0", `isReservedIP("127.0.0.1")`: "1", `isIpInSubnet(ip, "10.1.0.0/16")`: "1", `isIpInSubnet(s, "10.1.0.0/16")`: "0", `isIpv6InSubnet("2001:db8::5", "2001:db8::/32")`: "1", `isIpInSubnet("::1", "10.0.0.0/8")`: "0", `ipv4ToNumber("0.0.1.0")`: "256", `ipv4ToNumber("::1")`: "missing", `isPrivateIP(ip)`: "1",
		// JSON.
		`jsonParse(list)`: `[1, "a", {"k":[true]}]`, `jsonParse(list)[2].k[0]`: "1", `jsonParse(list)[1]`: "a", `jsonParse(list)[9]`: "missing", `jsonParse(list).x`: "missing", `jsonParse(s)`: "missing", `jsonParse(d)`: "12", `jsonStringify(jsonParse(list))`: `[1, "a", {"k":[true]}]`, `jsonStringify(s)`: "missing", `jsonArraySize(list)`: "3", `jsonArraySize(s)`: "missing", `jsonArrayContains(list, 1)`: "1", `jsonArrayContains(list, "b")`: "0", `jsonArrayContains(s, "b")`: "missing", `toupper(jsonParse(list))`: "missing",
		// Codes.
		`sha256("")`: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", `hexToDec("zz")`: "missing", `hexToDec("7fffffffffffffff")`: "9223372036854775807", `decToHex(-255)`: "-0xff", `decToHex(1.5)`: "missing", `hexToAscii("ff")`: "missing", `hexToAscii("0x41")`: "A",
		// System fields.
		`@log`: "123456789012:/app/api", `@aws.account`: "123456789012", `@aws.region`: "eu-west-1", `@ingestionTime`: "2024-05-01 12:00:01.000", `@requestId`: "missing", `@unknown`: "missing",
	} {
		require.Equal(t, want, evalIn(t, expr, message), expr)
	}
}

func TestFunctionsBound(t *testing.T) {
	m := &memStore{records: []store.LogRecord{{Group: "g", Timestamp: 1, Message: strings.Repeat("x", 200_000)}}}
	for _, query := range []string{
		`fields replace(@message, "x", "0123456789012345678901234567890") as y`,
		`fields regexReplace(@message, "x", "0123456789012345678901234567890") as y`,
		`fields concat(@message, @message, @message, @message, @message) as a | fields concat(a, a, a, a, a) as b`,
	} {
		_, err := runQuery(t.Context(), m, []string{"g"}, query, Options{})
		require.ErrorIs(t, err, ErrLimit, query)
	}
}

func TestSpelling(t *testing.T) {
	for _, family := range scalarFamilies {
		for name, f := range family {
			require.Equal(t, name, strings.ToLower(f.spelling))
			require.NotEqual(t, f.eval == nil, f.prepare == nil, name)
		}
	}
	require.Equal(t, "bin", functionSpelling("bin"))
}
