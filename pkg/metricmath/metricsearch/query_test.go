// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricsearch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// metric makes one of "namespace name dim=value dim=value".
func metric(text string) *cloudwatch.Metric {
	fields := strings.Split(text, " ")
	m := &cloudwatch.Metric{Namespace: fields[0], Name: fields[1]}
	for _, f := range fields[2:] {
		name, value, _ := strings.Cut(f, "=")
		m.Dimensions = append(m.Dimensions, cloudwatch.Dimension{Name: name, Value: value})
	}
	return m
}

// TestTokens are the tables and examples of CloudWatch's user guide.
func TestTokens(t *testing.T) {
	tokens := func(name string) (list []string) {
		for start, end := nextToken(name, 0); start < len(name); start, end = nextToken(name, end) {
			list = append(list, strings.ToLower(name[start:end]))
		}
		return list
	}
	for name, want := range map[string][]string{
		"CustomCount1":      {"custom", "count", "1"},
		"SDBFailure":        {"sdb", "failure"},
		"Project2-trial333": {"project", "2", "trial", "333"},
		"Network-Errors_2":  {"network", "errors", "2"},
		"couNT":             {"cou", "nt"},
		"CPUUtilization":    {"cpu", "utilization"},
		"größe":             {"größe"},
		"--_":               nil,
		"":                  nil,
		"A":                 {"a"},
		"AWS":               {"aws"},
	} {
		assert.Equal(t, want, tokens(name), name)
	}
	for _, c := range []struct {
		term, name string
		want       bool
	}{
		{"count", "CustomCount1", true},
		{"Count", "CustomCount1", true},
		{"COUNT", "CustomCount1", true},
		{"couNT", "CustomCount1", false},
		{"couNT", "Count", false},
		{"coun", "CustomCount1", false},
		{"CustomCount", "CustomCount1", true},
		{"Count1", "CustomCount1", true},
		{"customcount1", "CustomCount1", true},
		{"customcount", "CustomCount1", false},
		{"CUSTOMCOUNT1", "CustomCount1", true},
		{"customcount12", "CustomCount1", false},
		{"1", "CustomCount1", true},
		{"CountCustom", "CustomCount1", false},
		{"project2trial333", "Project2-trial333", true},
		{"sdbfailure", "SDBFailure", true},
		{"SDBfailure", "SDBFailure", false},
		{"sdb", "SDBFailure", true},
		{"network/errors", "Network-Errors-2", true},
		{"network+errors", "NetworkErrors2", true},
		{"network-errors", "NetworkErrors2", true},
		{"Network_Errors", "Network-Errors-2", true},
		{"errors/network", "NetworkErrors2", false},
		{"i-1234567890123456", "i-1234567890123456", true},
		{"AWS/EC2", "AWS/EC2", true},
		{"EC2", "AWS/EC2", true},
		{"micro", "t2.micro", true},
	} {
		p := newPattern(c.term)
		assert.Equal(t, c.want, p.match(c.name), "%s in %s", c.term, c.name)
	}
}

func TestMatch(t *testing.T) {
	metrics := []string{
		"AWS/EC2 CPUUtilization InstanceId=i-1234567890123456",
		"AWS/EC2 CPUUtilization InstanceId=i-6543210987654321",
		"AWS/EC2 CPUUtilization InstanceType=t2.micro",
		"AWS/EC2 CPUUtilization",
		"AWS/EC2 NetworkPacketsIn InstanceId=i-1234567890123456",
		"AWS/EC2 EBSReadOps InstanceId=i-1234567890123456",
		"AWS/EBS VolumeReadOps VolumeId=ProjectA",
		"AWS/Lambda Errors FunctionName=ProjectA-main Resource=x",
		"AWS/Lambda Errors FunctionName=other",
		"AWS/Lambda Invocations FunctionName=ProjectB",
		"AWS/Lambda Invocations FunctionName=other",
		"MyNamespace CustomCount1",
		"MyNamespace Other Kind=CustomCount1",
	}
	for query, want := range map[string][]int{
		`{AWS/EC2,InstanceId} MetricName="CPUUtilization"`:                                  {0, 1},
		` {AWS/EC2, InstanceId}, cpu `:                                                      {0, 1},
		`{AWS/EC2}`:                                                                         {3},
		`{"AWS/Lambda","Resource","FunctionName"}`:                                          {7},
		`{AWS/EC2,InstanceId} network AND packets`:                                          {4},
		`{AWS/EC2,InstanceId} network packets`:                                              {4},
		`{AWS/EC2,InstanceId} MetricName="CPUUtilization" NOT i-1234567890123456`:           {1},
		`{AWS/EC2,InstanceId} MetricName="CPUUtilization" NOT "i-1234567890123456" NOT "x"`: {1},
		`NOT Namespace=AWS`:                                                                 {11, 12},
		`(EC2 OR EBS) AND MetricName=ReadOps`:                                               {5, 6},
		`(EC2 OR EBS) MetricName=ReadOps`:                                                   {5, 6},
		`(EC2 OR EBS) AND ReadOps AND ProjectA`:                                             {6},
		`{AWS/Lambda,FunctionName} MetricName="Errors" OR (MetricName="Invocations" AND (ProjectA OR ProjectB))`: {8, 9},
		`"CustomCount1"`:            {11, 12},
		`MetricName="CustomCount1"`: {11},
		`"customcount1"`:            nil,
		`"Custom"`:                  nil,
		`InstanceType=micro`:        {2},
		`InstanceType="t2.micro" Namespace="AWS/EC2"`: {2},
		`InstanceType`:   {2},
		`"InstanceType"`: {2},
		`MetricName=(Errors OR "Invocations") FunctionName=other`: {8, 10},
		`MetricName=(Read NOT Volume)`:                            {5},
		`MetricName = (Errors) Resource = "x"`:                    {7},
		`"FunctionName"="other" Errors`:                           {8},
		`instanceid=i`:                                            nil,
		`zz OR Errors ProjectA OR Custom`:                         {7, 11, 12},
		`:aws.AccountId=123456789012 {`:                           nil,
	} {
		q, err := Parse(query)
		if strings.HasSuffix(query, "{") {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err, query)
		var got []int
		for i, text := range metrics {
			if q.Match("123456789012", metric(text)) {
				got = append(got, i)
			}
		}
		assert.Equal(t, want, got, query)
		again, err := Parse(q.String())
		require.NoError(t, err, q.String())
		assert.Equal(t, q, again, q.String())
	}
}

func TestAccounts(t *testing.T) {
	for query, want := range map[string]bool{
		`:aws.AccountId=123456789012`:                  true,
		`:aws.AccountId = '123456789012'`:              true,
		`:aws.AccountId="123456789012" x`:              true,
		`:aws.AccountId='LOCAL'`:                       true,
		`:aws.AccountId=999999999999`:                  false,
		`:aws.AccountId=("999999999999" OR LOCAL) "x"`: true,
		`NOT :aws.AccountId=LOCAL`:                     false,
	} {
		q, err := Parse(query)
		require.NoError(t, err, query)
		assert.Equal(t, want, q.Match("123456789012", metric("ns x")), query)
	}
}

func TestEscapes(t *testing.T) {
	m := &cloudwatch.Metric{Namespace: "My Namespace", Name: `Europe\France Traffic(Network)`, Dimensions: []cloudwatch.Dimension{
		{Name: "Dimension@Name", Value: `say "hi"`},
	}}
	for _, query := range []string{
		`"Europe\\France Traffic\(Network\)"`,
		`{"My Namespace", "Dimension@Name"}, "say \"hi\""`,
		`"Dimension@Name"="say \"hi\""`,
		`Dimension@Name=hi`,
		`Traffic\(network\)`,
		`"Europe\\France Traffic(Network)"`,
	} {
		q, err := Parse(query)
		require.NoError(t, err, query)
		assert.True(t, q.Match("", m), query)
	}
	q, err := Parse(`\AND \OR`)
	require.NoError(t, err)
	assert.True(t, q.Match("", metric("and or")))
	assert.Equal(t, `(\AND \OR)`, q.String())
	q, err = Parse(`{b,d,c} x`)
	require.NoError(t, err)
	assert.Equal(t, `{"b","c","d"}x`, q.String())
}

func TestBounds(t *testing.T) {
	for query, want := range map[string][]string{
		`{b,d,c} x`: {"b", "", "c", "d"},
		`{b} MetricName="m" y NOT MetricName="n"`: {"b", "m"},
		`MetricName="m"`:                      {"", "m"},
		`MetricName=m`:                        {"", ""},
		`Namespace="n" (MetricName="m" OR x)`: {"n", ""},
		`MetricName="m" OR Namespace="n"`:     {"", ""},
		`{b} Namespace="n"`:                   {"b", ""},
		`NOT MetricName="m"`:                  {"", ""},
		`{b}`:                                 {"b", ""},
	} {
		q, err := Parse(query)
		require.NoError(t, err)
		namespace, name, dimensions := q.Bounds()
		assert.Equal(t, want, append([]string{namespace, name}, dimensions...), query)
	}
}

func TestParseErrors(t *testing.T) {
	for query, want := range map[string]string{
		"":                         "position 0: it has neither a metric schema nor a search term",
		"  ":                       "position 2: it has neither a metric schema nor a search term",
		"{":                        "position 1: a name is missing in the metric schema",
		"{}":                       "position 1: a name is missing in the metric schema",
		"{a,}":                     "position 3: a name is missing in the metric schema",
		"{a":                       "position 2: the metric schema has no end",
		"{a b}":                    `position 3: expected "," or "}" in the metric schema (names with spaces need quotes)`,
		`{"a`:                      "position 1: the quotes that begin here have no end",
		"{a,b,b}":                  `position 5: the metric schema has the dimension "b" twice`,
		"x {a}":                    "position 2: a metric schema comes first, and once",
		"{a}{b}":                   "position 3: a metric schema comes first, and once",
		`"a`:                       "position 0: the quotes that begin here have no end",
		"(a":                       `position 2: expected ")" for the one at position 0`,
		"a)":                       `position 1: unexpected ")"`,
		"()":                       `position 1: unexpected ")"`,
		"AND a":                    `position 0: unexpected "AND"`,
		"a AND":                    "position 5: it ends where a search term is expected",
		"a OR OR b":                `position 5: unexpected "OR"`,
		"NOT":                      "position 3: it ends where a search term is expected",
		"=a":                       `position 0: unexpected "="`,
		"a=":                       "position 2: it ends where a search term is expected",
		"a=NOT b":                  `position 2: unexpected "NOT"`,
		"a=(b=c)":                  `position 4: unexpected "=" in the values of a`,
		`""=a`:                     "position 0: a property has no name",
		"a=b=c":                    `position 3: unexpected "="`,
		"--":                       `position 0: the search term "--" has no letter or digit`,
		"\xff":                     "position 0: it is not UTF-8",
		strings.Repeat("(", 60):    "position 50: it nests deeper than 50",
		strings.Repeat("NOT ", 60): "position 196: it nests deeper than 50",
		strings.Repeat("a", 1025):  "position 0: it has 1025 characters, more than 1024",
	} {
		_, err := Parse(query)
		require.EqualError(t, err, "Invalid search query at "+want, query)
	}
}

func FuzzParse(f *testing.F) {
	for _, query := range []string{
		`{AWS/EC2, "Instance Id"}, MetricName=("a" OR b NOT c) AND (x y) OR NOT :aws.AccountId='LOCAL'`, `{a},,b`, `\AND "\\\""`, `couNT SDBFailure-1`,
	} {
		f.Add(query, "CustomCount1")
	}
	f.Fuzz(func(t *testing.T, query, name string) {
		q, err := Parse(query)
		if err != nil {
			return
		}
		m := &cloudwatch.Metric{Namespace: name, Name: query}
		q.Match("1", m)
		again, err := Parse(q.String())
		if err != nil {
			if strings.Contains(err.Error(), "more than 1024") || strings.Contains(err.Error(), "nests deeper") {
				return // the canonical form may be longer
			}
			t.Fatalf("%q printed as %q: %v", query, q.String(), err)
		}
		if again.String() != q.String() || again.Match("1", m) != q.Match("1", m) {
			t.Fatalf("%q printed as %q, which is another query", query, q.String())
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	q, err := Parse(`{AWS/Lambda,FunctionName} MetricName="Errors" OR (MetricName="Invocations" AND (ProjectA OR ProjectB))`)
	require.NoError(b, err)
	m := metric("AWS/Lambda Invocations FunctionName=order-service-projectB")
	b.ReportAllocs()
	for b.Loop() {
		q.Match("1", m)
	}
}
