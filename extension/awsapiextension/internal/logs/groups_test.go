// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

func TestCreateLogGroup(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	f.createGroup("/app/api")
	for _, c := range []struct {
		in            api.CreateLogGroupInput
		code, message string
	}{
		{api.CreateLogGroupInput{LogGroupName: new("/app/api")}, "ResourceAlreadyExistsException", "The specified log group already exists"},
		{
			api.CreateLogGroupInput{LogGroupName: new(strings.Repeat("a", 513))},
			"InvalidParameterException",
			"Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
		},
		{
			api.CreateLogGroupInput{LogGroupName: new("a b")},
			"InvalidParameterException",
			`1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`,
		},
		{
			api.CreateLogGroupInput{LogGroupName: new("")},
			"InvalidParameterException",
			`1 validation error detected: Value '' at 'logGroupName' failed to satisfy constraint: Member must have length greater than or equal to 1`,
		},
		{api.CreateLogGroupInput{LogGroupName: new("aws/spans")}, "InvalidParameterException", "Log groups starting with AWS/ are reserved for AWS."},
		{
			api.CreateLogGroupInput{LogGroupName: new("b"), KmsKeyId: new("arn:aws:kms:eu-west-1:123456789012:key/x")},
			"InvalidParameterException",
			"kmsKeyId: encryption with a KMS key is not supported by this endpoint.",
		},
		{
			api.CreateLogGroupInput{LogGroupName: new("b"), LogGroupClass: types.LogGroupClassDelivery},
			"InvalidParameterException",
			"logGroupClass: the class DELIVERY is not supported by this endpoint.",
		},
		{
			api.CreateLogGroupInput{LogGroupName: new("b"), LogGroupClass: "X"},
			"InvalidParameterException",
			"1 validation error detected: Value 'X' at 'logGroupClass' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY, ESSENTIALS]",
		},
		{
			api.CreateLogGroupInput{LogGroupName: new("b"), Tags: map[string]string{"a*": "x"}},
			"InvalidParameterException",
			`1 validation error detected: Value 'a*' at 'tags' failed to satisfy constraint: Member must satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$`,
		},
	} {
		_, err := f.CreateLogGroup(ctx, &c.in)
		wantError(t, err, c.code, c.message)
	}
	// A group that came by another way exists as well.
	f.otlp("/otel/shop", "pod-1", "hello", f.clock.ms())
	_, err := f.CreateLogGroup(ctx, &api.CreateLogGroupInput{LogGroupName: new("/otel/shop")})
	wantError(t, err, "ResourceAlreadyExistsException", "The specified log group already exists")
}

func TestDescribeLogGroups(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	created := f.clock.ms()
	f.createGroup("/app/api")
	_, err := f.CreateLogGroup(ctx, &api.CreateLogGroupInput{
		LogGroupName: new("/app/web"), LogGroupClass: types.LogGroupClassInfrequentAccess, DeletionProtectionEnabled: new(true),
	})
	require.NoError(t, err)
	f.clock.advance(time.Minute)
	f.otlp("/otel/shop", "pod-1", "hello", f.clock.ms()-5000)
	f.clock.advance(time.Minute)
	f.createStream("/app/api", "s")
	f.put("/app/api", "s", "12345", "1")
	_, err = f.PutRetentionPolicy(ctx, &api.PutRetentionPolicyInput{LogGroupName: new("/app/api"), RetentionInDays: new(int32(30))})
	require.NoError(t, err)

	row := func(name string) types.LogGroup {
		return types.LogGroup{
			LogGroupName: new(name), Arn: new("arn:aws:logs:eu-west-1:123456789012:log-group:" + name + ":*"),
			LogGroupArn: new("arn:aws:logs:eu-west-1:123456789012:log-group:" + name), CreationTime: &created, StoredBytes: new(int64(0)),
			MetricFilterCount: new(int32(0)), LogGroupClass: types.LogGroupClassStandard, DeletionProtectionEnabled: new(false),
		}
	}
	apiRow, web, shop := row("/app/api"), row("/app/web"), row("/otel/shop")
	apiRow.RetentionInDays, apiRow.StoredBytes = new(int32(30)), new(int64(6+2*26))
	web.LogGroupClass, web.DeletionProtectionEnabled = types.LogGroupClassInfrequentAccess, new(true)
	shop.CreationTime, shop.StoredBytes = new(created+60_000), new(int64(5+26))
	short := apiRow
	short.StoredBytes, short.DeletionProtectionEnabled = nil, nil

	for _, c := range []struct {
		name string
		in   api.DescribeLogGroupsInput
		want []types.LogGroup
	}{
		{"all", api.DescribeLogGroupsInput{}, []types.LogGroup{apiRow, web, shop}},
		{"prefix", api.DescribeLogGroupsInput{LogGroupNamePrefix: new("/app/a")}, []types.LogGroup{apiRow}},
		{"no such prefix", api.DescribeLogGroupsInput{LogGroupNamePrefix: new("app")}, []types.LogGroup{}},
		{"pattern", api.DescribeLogGroupsInput{LogGroupNamePattern: new("p/ap")}, []types.LogGroup{short}},
		{"pattern is case-sensitive", api.DescribeLogGroupsInput{LogGroupNamePattern: new("API")}, []types.LogGroup{}},
		{"class", api.DescribeLogGroupsInput{LogGroupClass: types.LogGroupClassInfrequentAccess}, []types.LogGroup{web}},
		{"identifiers", api.DescribeLogGroupsInput{LogGroupIdentifiers: []string{
			"/otel/shop", "arn:aws:logs:eu-west-1:123456789012:log-group:/app/web", "/none", "arn:aws:logs:eu-west-1:210987654321:log-group:/app/api",
		}}, []types.LogGroup{web, shop}},
		{"linked accounts", api.DescribeLogGroupsInput{IncludeLinkedAccounts: new(true), AccountIdentifiers: []string{testAccount}}, []types.LogGroup{apiRow, web, shop}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := f.DescribeLogGroups(ctx, &c.in)
			require.NoError(t, err)
			assert.Equal(t, c.want, out.LogGroups)
			assert.Nil(t, out.NextToken)
		})
	}
	for _, c := range []struct {
		in      api.DescribeLogGroupsInput
		message string
	}{
		{
			api.DescribeLogGroupsInput{LogGroupNamePrefix: new("a"), LogGroupNamePattern: new("b")},
			"LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
		},
		{
			api.DescribeLogGroupsInput{Limit: new(int32(51))},
			"1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50",
		},
		{
			api.DescribeLogGroupsInput{Limit: new(int32(0))},
			"1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
		},
		{api.DescribeLogGroupsInput{NextToken: new("x")}, "The specified nextToken is invalid."},
		{
			api.DescribeLogGroupsInput{LogGroupIdentifiers: []string{"a"}, LogGroupNamePrefix: new("a")},
			"LogGroup identifiers and other filters are mutually exclusive parameters.",
		},
		{
			api.DescribeLogGroupsInput{LogGroupIdentifiers: []string{"arn:aws:logs:eu-west-1:123456789012:log-group:/app/web:*"}},
			`1 validation error detected: Value at 'logGroupIdentifiers.1.member' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w#+=/:,.@-]*`,
		},
		{
			api.DescribeLogGroupsInput{AccountIdentifiers: []string{"210987654321"}},
			"accountIdentifiers: the linked account 210987654321 is not supported by this endpoint.",
		},
	} {
		_, err := f.DescribeLogGroups(ctx, &c.in)
		wantError(t, err, "InvalidParameterException", c.message)
	}
}

func TestDescribeLogGroupsPages(t *testing.T) {
	f := newFixture(t)
	var want []string
	for i := range 120 {
		want = append(want, fmt.Sprintf("g%03d", i))
		f.createGroup(want[i])
	}
	pages := api.NewDescribeLogGroupsPaginator(f, &api.DescribeLogGroupsInput{LogGroupNamePrefix: new("g")})
	var got []string
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		assert.LessOrEqual(t, len(out.LogGroups), 50)
		for _, g := range out.LogGroups {
			got = append(got, *g.LogGroupName)
		}
	}
	assert.Equal(t, want, got)
	// A token continues the request that it was made for, no other.
	out, err := f.DescribeLogGroups(t.Context(), &api.DescribeLogGroupsInput{LogGroupNamePrefix: new("g")})
	require.NoError(t, err)
	_, err = f.DescribeLogGroups(t.Context(), &api.DescribeLogGroupsInput{LogGroupNamePrefix: new("g0"), NextToken: out.NextToken})
	wantError(t, err, "InvalidParameterException", "The specified nextToken is invalid.")
}

func TestListLogGroups(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	for _, name := range []string{"/aws/lambda/a", "/aws/lambda/b", "/app/lambda", "web"} {
		_, err := f.CreateLogGroup(ctx, &api.CreateLogGroupInput{LogGroupName: &name, Tags: map[string]string{"team": "t-" + name, "x": ""}})
		require.NoError(t, err)
	}
	for _, c := range []struct {
		name string
		in   api.ListLogGroupsInput
		want []string
	}{
		{"all", api.ListLogGroupsInput{}, []string{"/app/lambda", "/aws/lambda/a", "/aws/lambda/b", "web"}},
		{"substring", api.ListLogGroupsInput{LogGroupNamePattern: new("lambda")}, []string{"/app/lambda", "/aws/lambda/a", "/aws/lambda/b"}},
		{"prefix or substring", api.ListLogGroupsInput{LogGroupNamePattern: new("^/app|web")}, []string{"/app/lambda", "web"}},
		{"class", api.ListLogGroupsInput{LogGroupClass: types.LogGroupClassInfrequentAccess}, nil},
		{"tag", api.ListLogGroupsInput{LogGroupTags: []types.TagFilter{{Key: new("team"), Values: []string{"t-web", "*/b"}}}}, []string{"/aws/lambda/b", "web"}},
		{"not tag", api.ListLogGroupsInput{LogGroupTags: []types.TagFilter{{Key: new("team"), Values: []string{"!t-/aws*"}}}}, []string{"/app/lambda", "web"}},
		{"tag is there", api.ListLogGroupsInput{LogGroupTags: []types.TagFilter{{Key: new("none")}}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			c.in.Limit = new(int32(2))
			for more := true; more; more = c.in.NextToken != nil {
				out, err := f.ListLogGroups(ctx, &c.in)
				require.NoError(t, err)
				for _, g := range out.LogGroups {
					got = append(got, *g.LogGroupName)
					assert.Equal(t, types.LogGroupClassStandard, g.LogGroupClass)
					assert.Equal(t, "arn:aws:logs:eu-west-1:123456789012:log-group:"+*g.LogGroupName, *g.LogGroupArn)
				}
				c.in.NextToken = out.NextToken
			}
			assert.Equal(t, c.want, got)
		})
	}
	for _, c := range []struct {
		in      api.ListLogGroupsInput
		message string
	}{
		{api.ListLogGroupsInput{LogGroupNamePattern: new("abc|ab")}, "logGroupNamePattern: 'ab' is not 3 to 24 characters of a log group name, with an optional leading '^'."},
		{api.ListLogGroupsInput{LogGroupNamePattern: new("aaa|aaa|aaa|aaa|aaa|aaa")}, "logGroupNamePattern has 6 alternatives, at most 5 are allowed."},
		{api.ListLogGroupsInput{DataSources: []types.DataSourceFilter{{Name: new("x")}}}, "dataSources: a filter by data source is not supported by this endpoint."},
		{api.ListLogGroupsInput{FieldIndexNames: []string{"x"}}, "fieldIndexNames: a filter by field index is not supported by this endpoint."},
	} {
		_, err := f.ListLogGroups(ctx, &c.in)
		wantError(t, err, "InvalidParameterException", c.message)
	}
}

func TestRetention(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	f.createGroup("g")
	f.createStream("g", "s")
	f.put("g", "s", "day 0")
	f.clock.advance(36 * time.Hour)
	f.put("g", "s", "day 1")
	retention := func(days int32) {
		t.Helper()
		_, err := f.PutRetentionPolicy(ctx, &api.PutRetentionPolicyInput{LogGroupName: new("g"), RetentionInDays: &days})
		require.NoError(t, err)
	}
	retention(1)
	assert.Equal(t, []string{"day 1"}, f.messages("g"))
	streams, err := f.DescribeLogStreams(ctx, &api.DescribeLogStreamsInput{LogGroupName: new("g")})
	require.NoError(t, err)
	assert.Equal(t, f.clock.ms(), *streams.LogStreams[0].FirstEventTimestamp)
	size := func() int64 {
		groups, err := f.DescribeLogGroups(ctx, &api.DescribeLogGroupsInput{})
		require.NoError(t, err)
		return *groups.LogGroups[0].StoredBytes
	}
	assert.Equal(t, int64(5+26), size(), "what is hidden does not count")
	retention(3)
	assert.Equal(t, int64(2*(5+26)), size())
	assert.Equal(t, []string{"day 0", "day 1"}, f.messages("g"), "a longer period shows what is still there")
	for _, days := range cloudwatchlogs.RetentionDays {
		retention(days)
	}
	_, err = f.DeleteRetentionPolicy(ctx, &api.DeleteRetentionPolicyInput{LogGroupName: new("g")})
	require.NoError(t, err)
	groups, err := f.DescribeLogGroups(ctx, &api.DescribeLogGroupsInput{})
	require.NoError(t, err)
	assert.Nil(t, groups.LogGroups[0].RetentionInDays)
	_, err = f.PutRetentionPolicy(ctx, &api.PutRetentionPolicyInput{LogGroupName: new("g"), RetentionInDays: new(int32(2))})
	wantError(t, err, "InvalidParameterException", "1 validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint: "+
		"Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]")
	_, err = f.PutRetentionPolicy(ctx, &api.PutRetentionPolicyInput{LogGroupName: new("none"), RetentionInDays: new(int32(1))})
	wantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
}

// A group made anew shows nothing of the old one, and all of what is put then: in the same millisecond, and after a
// restart.
func TestDeleteLogGroup(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	_, err := f.DeleteLogGroup(ctx, &api.DeleteLogGroupInput{LogGroupName: new("g")})
	wantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
	for i := range 5 {
		f.createGroup("g")
		f.createStream("g", "s")
		assert.Empty(t, f.messages("g"))
		f.put("g", "s", fmt.Sprint("round ", i))
		assert.Equal(t, []string{fmt.Sprint("round ", i)}, f.messages("g"))
		if i == 3 {
			f.open()
			assert.Equal(t, []string{fmt.Sprint("round ", i)}, f.messages("g"))
		}
		_, err := f.DeleteLogGroup(ctx, &api.DeleteLogGroupInput{LogGroupName: new("g")})
		require.NoError(t, err)
		groups, err := f.DescribeLogGroups(ctx, &api.DescribeLogGroupsInput{})
		require.NoError(t, err)
		assert.Empty(t, groups.LogGroups)
		_, err = f.FilterLogEvents(ctx, &api.FilterLogEventsInput{LogGroupName: new("g")})
		wantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
	}
	// What other receivers write later brings the group back, without its past.
	f.clock.advance(time.Second)
	f.otlp("g", "pod", "later", f.clock.ms())
	assert.Equal(t, []string{"later"}, f.messages("g"))

	// The clock goes back over a restart.
	f.createGroup("back")
	f.createStream("back", "s")
	f.put("back", "s", "old")
	f.clock.advance(-time.Hour)
	f.open()
	_, err = f.DeleteLogGroup(ctx, &api.DeleteLogGroupInput{LogGroupName: new("back")})
	require.NoError(t, err)
	f.createGroup("back")
	assert.Empty(t, f.messages("back"))
	f.createStream("back", "s")
	f.put("back", "s", "new")
	assert.Equal(t, []string{"new"}, f.messages("back"))
}

func TestDeletionProtection(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	f.createGroup("g")
	f.createStream("g", "s")
	protect := func(on bool) {
		_, err := f.PutLogGroupDeletionProtection(ctx, &api.PutLogGroupDeletionProtectionInput{
			LogGroupIdentifier: new("arn:aws:logs:eu-west-1:123456789012:log-group:g"), DeletionProtectionEnabled: &on,
		})
		require.NoError(t, err)
	}
	protect(true)
	_, err := f.DeleteLogGroup(ctx, &api.DeleteLogGroupInput{LogGroupName: new("g")})
	wantError(t, err, "ValidationException", errProtected.Message)
	_, err = f.DeleteLogStream(ctx, &api.DeleteLogStreamInput{LogGroupName: new("g"), LogStreamName: new("s")})
	wantError(t, err, "ValidationException", errProtected.Message)
	protect(false)
	_, err = f.DeleteLogGroup(ctx, &api.DeleteLogGroupInput{LogGroupName: new("g")})
	require.NoError(t, err)
}

// Accounts and regions do not see each other.
func TestTenants(t *testing.T) {
	f := newFixture(t)
	f.createGroup("g")
	out, err := f.DescribeLogGroups(t.Context(), &api.DescribeLogGroupsInput{}, func(o *api.Options) { o.Region = "us-east-1" })
	require.NoError(t, err)
	assert.Empty(t, out.LogGroups)
}

// State is there after a restart.
func TestRestart(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	for i := range 70 {
		f.createGroup(fmt.Sprintf("g%02d", i))
		f.createStream(fmt.Sprintf("g%02d", i), "s")
	}
	_, err := f.TagLogGroup(ctx, &api.TagLogGroupInput{LogGroupName: new("g07"), Tags: map[string]string{"k": "v"}}) //nolint:staticcheck // old clients use it
	require.NoError(t, err)
	_, err = f.DeleteLogGroup(ctx, &api.DeleteLogGroupInput{LogGroupName: new("g08")})
	require.NoError(t, err)
	before, err := f.ListLogGroups(ctx, &api.ListLogGroupsInput{Limit: new(int32(1000))})
	require.NoError(t, err)
	require.Len(t, before.LogGroups, 69)
	f.open()
	after, err := f.ListLogGroups(ctx, &api.ListLogGroupsInput{Limit: new(int32(1000))})
	require.NoError(t, err)
	assert.Equal(t, before.LogGroups, after.LogGroups)
	tags, err := f.ListTagsLogGroup(ctx, &api.ListTagsLogGroupInput{LogGroupName: new("g07")}) //nolint:staticcheck // old clients use it
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"k": "v"}, tags.Tags)
	streams, err := f.DescribeLogStreams(ctx, &api.DescribeLogStreamsInput{LogGroupName: new("g69")})
	require.NoError(t, err)
	assert.Len(t, streams.LogStreams, 1)
}

func TestTags(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	arn := new("arn:aws:logs:eu-west-1:123456789012:log-group:/app/api")
	_, err := f.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceArn: arn})
	wantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
	f.createGroup("/app/api")
	want := func(tags map[string]string) {
		t.Helper()
		a, err := f.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceArn: arn})
		require.NoError(t, err)
		assert.Equal(t, tags, a.Tags)
		b, err := f.ListTagsLogGroup(ctx, &api.ListTagsLogGroupInput{LogGroupName: new("/app/api")}) //nolint:staticcheck // old clients use it
		require.NoError(t, err)
		assert.Equal(t, tags, b.Tags)
	}
	want(map[string]string{})
	_, err = f.TagResource(ctx, &api.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": "1", "b": "2", "é 1_.:/=+-@": ""}})
	require.NoError(t, err)
	_, err = f.TagLogGroup(ctx, &api.TagLogGroupInput{LogGroupName: new("/app/api"), Tags: map[string]string{"b": "3"}}) //nolint:staticcheck // old clients use it
	require.NoError(t, err)
	want(map[string]string{"a": "1", "b": "3", "é 1_.:/=+-@": ""})
	_, err = f.UntagResource(ctx, &api.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a", "none"}})
	require.NoError(t, err)
	_, err = f.UntagLogGroup(ctx, &api.UntagLogGroupInput{LogGroupName: new("/app/api"), Tags: []string{"é 1_.:/=+-@"}}) //nolint:staticcheck // old clients use it
	require.NoError(t, err)
	want(map[string]string{"b": "3"})

	many := map[string]string{}
	for i := range 50 {
		many[fmt.Sprint("k", i)] = "v"
	}
	_, err = f.TagResource(ctx, &api.TagResourceInput{ResourceArn: arn, Tags: many})
	wantError(t, err, "TooManyTagsException", "The number of tags exceeds the limit of 50.")
	var tooMany *types.TooManyTagsException
	require.ErrorAs(t, err, &tooMany)
	assert.Equal(t, *arn, *tooMany.ResourceName)
	want(map[string]string{"b": "3"})
	_, err = f.TagResource(ctx, &api.TagResourceInput{ResourceArn: new(*arn + ":*"), Tags: map[string]string{"a": "b"}})
	wantError(t, err, "InvalidParameterException", "1 validation error detected: Value at 'resourceArn' failed to satisfy constraint: "+
		`Member must satisfy regular expression pattern: [\w+=/:,.@-]*`)
	_, err = f.TagResource(ctx, &api.TagResourceInput{ResourceArn: new("arn:aws:logs:eu-west-1:123456789012:destination:d"), Tags: map[string]string{"a": "b"}})
	wantError(t, err, "ResourceNotFoundException", "The specified resource does not exist.")
	_, err = f.TagResource(ctx, &api.TagResourceInput{ResourceArn: new("x"), Tags: map[string]string{"a": "b"}})
	wantError(t, err, "InvalidParameterException", "Invalid resource ARN: x")
	_, err = f.TagResource(ctx, &api.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": strings.Repeat("x", 257)}})
	wantError(t, err, "InvalidParameterException", "1 validation error detected: Value '"+strings.Repeat("x", 257)+"' at 'tags.a.member' failed to satisfy constraint: "+
		"Member must have length less than or equal to 256")
}
