// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/nephoscope/nephoscope/pkg/awswire"
)

const smallest = `{"widgets":[]}`

const badCharacters = " contains invalid characters. It can only contain alphanumerics, dash (-) and underscore (_).\n"

func TestPutAndGet(t *testing.T) {
	f := newFixture(t)
	assert.Empty(t, f.put("d", " {\n \"widgets\" : [ {\"type\":\"text\",\"properties\":{\"markdown\":\"caf\\u00e9\"}} ]\n}\n"))
	// A dashboard is the same in all regions.
	got, err := f.client("us-west-2").GetDashboard(t.Context(), &cw.GetDashboardInput{DashboardName: new("d")})
	require.NoError(t, err)
	assert.JSONEq(t, `{"widgets":[{"type":"text","properties":{"markdown":"café"}}]}`, *got.DashboardBody)
	assert.NotContains(t, *got.DashboardBody, " ")
	assert.Equal(t, "arn:aws:cloudwatch::123456789012:dashboard/d", *got.DashboardArn)
	assert.Equal(t, "d", *got.DashboardName)

	assert.Equal(t, []string{`/periodOverride Should match pattern "^(inherit|auto)$"`}, f.put("d", `{"widgets":[],"periodOverride":"bogus"}`))
	got, err = f.GetDashboard(t.Context(), &cw.GetDashboardInput{DashboardName: new("d")})
	require.NoError(t, err)
	assert.JSONEq(t, `{"widgets":[],"periodOverride":"bogus"}`, *got.DashboardBody)

	// A body that is refused leaves the one before.
	f.clock.advance(time.Minute)
	_, err = f.PutDashboard(t.Context(), &cw.PutDashboardInput{DashboardName: new("d"), DashboardBody: new(`{}`)})
	wantError(t, err, "InvalidParameterInput", `The dashboard body is invalid, there are 1 validation errors:
[
  {
    "dataPath": "",
    "message": "Should have required property 'widgets'"
  }
]`)
	var invalid *types.DashboardInvalidInputError
	require.ErrorAs(t, err, &invalid)
	list, err := f.ListDashboards(t.Context(), &cw.ListDashboardsInput{})
	require.NoError(t, err)
	require.Len(t, list.DashboardEntries, 1)
	assert.Equal(t, testNow.Truncate(time.Second), list.DashboardEntries[0].LastModified.UTC())
	assert.Equal(t, int64(len(`{"widgets":[],"periodOverride":"bogus"}`)+37), *list.DashboardEntries[0].Size)

	// It survives a restart.
	f.put("d", smallest)
	f.open()
	got, err = f.GetDashboard(t.Context(), &cw.GetDashboardInput{DashboardName: new("d")})
	require.NoError(t, err)
	assert.JSONEq(t, smallest, *got.DashboardBody)
	list, err = f.ListDashboards(t.Context(), &cw.ListDashboardsInput{})
	require.NoError(t, err)
	assert.Equal(t, testNow.Truncate(time.Second).Add(time.Minute), list.DashboardEntries[0].LastModified.UTC())
	assert.Equal(t, int64(51), *list.DashboardEntries[0].Size)
}

func TestPutErrors(t *testing.T) {
	f := newFixture(t)
	put := func(name, body string, tags ...types.Tag) error {
		_, err := f.PutDashboard(t.Context(), &cw.PutDashboardInput{DashboardName: &name, DashboardBody: &body, Tags: tags})
		return err
	}
	wantError(t, put("a/b", smallest), "InvalidParameterValue", "The value for field DashboardName"+badCharacters)
	wantError(t, put(strings.Repeat("a", 256), smallest), "InvalidParameterValue",
		"The value for field DashboardName is too long. It must have length less than or equal to 255.\n")
	wantError(t, put("", smallest), "InvalidParameterValue", "The parameter DashboardName is required.\n")
	wantError(t, put("d", ""), "InvalidParameterValue", "The parameter DashboardBody is required.\n")
	for _, body := range []string{`{`, `[]`, `null`, `"x"`} {
		wantError(t, put("d", body), "InvalidParameterInput", "The field DashboardBody must be a valid JSON object")
	}
	var tags []types.Tag
	for i := range 51 {
		tags = append(tags, types.Tag{Key: new(strconv.Itoa(i)), Value: new("v")})
	}
	wantError(t, put("d", smallest, tags...), "InvalidParameterValue", "The collection Tags must not have a size greater than 50.\n")
	wantError(t, put("d", smallest, types.Tag{Key: new(""), Value: new("v")}), "ValidationError",
		"1 validation error detected: Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1")
	assert.Empty(t, f.names(""))
	require.NoError(t, put("d", smallest, tags[:50]...))

	_, err := f.GetDashboard(t.Context(), &cw.GetDashboardInput{DashboardName: new("none")})
	wantError(t, err, "ResourceNotFound", "Dashboard none does not exist")
	var notFound *types.DashboardNotFoundError
	require.ErrorAs(t, err, &notFound)
}

func TestList(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"z", "A", "a2", "a1", "Z"} {
		f.put(name, smallest)
	}
	assert.Equal(t, []string{"A", "Z", "a1", "a2", "z"}, f.names(""))
	assert.Equal(t, []string{"a1", "a2"}, f.names("a"))
	assert.Empty(t, f.names("none"))
	list := func(in *cw.ListDashboardsInput) error {
		_, err := f.ListDashboards(t.Context(), in)
		return err
	}
	wantError(t, list(&cw.ListDashboardsInput{DashboardNamePrefix: new("a b")}), "InvalidParameterValue",
		"The value for field DashboardNamePrefix"+badCharacters)
	wantError(t, list(&cw.ListDashboardsInput{DashboardNamePrefix: new(strings.Repeat("a", 256))}), "InvalidParameterValue",
		"The value for field DashboardNamePrefix is too long. It must have length less than or equal to 255.\n")
	wantError(t, list(&cw.ListDashboardsInput{NextToken: new("x")}), "ValidationError", "Invalid NextToken")
	wantError(t, list(&cw.ListDashboardsInput{NextToken: new("")}), "ValidationError", "Invalid NextToken")
}

func TestPaging(t *testing.T) {
	f := newFixture(t)
	ctx := awswire.WithRequest(t.Context(), &awswire.Request{Account: testAccount, Region: "us-east-1"})
	for i := range 1001 {
		_, err := f.service.putDashboard(ctx, &cw.PutDashboardInput{DashboardName: new(fmt.Sprintf("d%04d", i)), DashboardBody: new(smallest)})
		require.NoError(t, err)
	}
	first, err := f.ListDashboards(t.Context(), &cw.ListDashboardsInput{DashboardNamePrefix: new("d")})
	require.NoError(t, err)
	assert.Len(t, first.DashboardEntries, 1000)
	second, err := f.ListDashboards(t.Context(), &cw.ListDashboardsInput{DashboardNamePrefix: new("d"), NextToken: first.NextToken})
	require.NoError(t, err)
	require.Len(t, second.DashboardEntries, 1)
	assert.Equal(t, "d1000", *second.DashboardEntries[0].DashboardName)
	assert.Nil(t, second.NextToken)
	_, err = f.ListDashboards(t.Context(), &cw.ListDashboardsInput{NextToken: first.NextToken})
	wantError(t, err, "ValidationError", "Invalid NextToken")
}

func TestDelete(t *testing.T) {
	f := newFixture(t)
	del := func(names ...string) error {
		if names == nil {
			names = []string{}
		}
		_, err := f.DeleteDashboards(t.Context(), &cw.DeleteDashboardsInput{DashboardNames: names})
		return err
	}
	f.put("a", smallest)
	f.put("b", smallest)
	wantError(t, del(), "InvalidParameterValue", "Field DashboardNames is required and has to contain at least 1 element.\n")
	wantError(t, del("a", "a/b"), "InvalidParameterValue", "The value for field DashboardNames[1]"+badCharacters)
	many := make([]string, 101)
	for i := range many {
		many[i] = "a"
	}
	distinct := make([]string, 101)
	for i := range distinct {
		distinct[i] = fmt.Sprintf("a%d", i)
	}
	distinct[0] = "b"
	wantError(t, del(distinct...), "InvalidParameterValue", "The collection DashboardNames must not have a size greater than 100.\n")
	assert.Equal(t, []string{"a", "b"}, f.names(""))
	require.NoError(t, del(many...))
	require.NoError(t, del("b", "unknown"))
	require.NoError(t, del("unknown"))
	assert.Empty(t, f.names(""))
	f.open()
	assert.Empty(t, f.names(""))
	text, err := f.state.Get(t.Context(), "dashboards/body/123456789012/a")
	require.NoError(t, err)
	assert.Nil(t, text)
	assert.Zero(t, f.service.stored)
}

func TestTags(t *testing.T) {
	f := newFixture(t)
	arn := "arn:aws:cloudwatch::123456789012:dashboard/d"
	tags := func() map[string]string {
		t.Helper()
		out, err := f.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: &arn})
		require.NoError(t, err)
		m := map[string]string{}
		for _, tag := range out.Tags {
			m[*tag.Key] = *tag.Value
		}
		return m
	}
	size := func() int64 {
		t.Helper()
		out, err := f.ListDashboards(t.Context(), &cw.ListDashboardsInput{})
		require.NoError(t, err)
		return *out.DashboardEntries[0].Size
	}
	put := func(value string) {
		_, err := f.PutDashboard(t.Context(), &cw.PutDashboardInput{
			DashboardName: new("d"), DashboardBody: new(smallest), Tags: []types.Tag{{Key: new("owned"), Value: &value}},
		})
		require.NoError(t, err)
	}
	put("created")
	assert.Equal(t, int64(227), size())
	put("updated")
	assert.Equal(t, map[string]string{"owned": "created"}, tags(), "tags are taken on creation only")
	_, err := f.TagResource(t.Context(), &cw.TagResourceInput{ResourceARN: &arn, Tags: []types.Tag{{Key: new("owned"), Value: new("x")}, {Key: new("b"), Value: new("c")}}})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"owned": "x", "b": "c"}, tags())
	_, err = f.UntagResource(t.Context(), &cw.UntagResourceInput{ResourceARN: &arn, TagKeys: []string{"owned", "b", "z"}})
	require.NoError(t, err)
	assert.Empty(t, tags())
	assert.Equal(t, int64(200), size())
	f.open()
	assert.Equal(t, int64(200), size())

	var more []types.Tag
	for i := range 50 {
		more = append(more, types.Tag{Key: new(strconv.Itoa(i)), Value: new("")})
	}
	_, err = f.TagResource(t.Context(), &cw.TagResourceInput{ResourceARN: &arn, Tags: more})
	require.NoError(t, err)
	_, err = f.TagResource(t.Context(), &cw.TagResourceInput{ResourceARN: &arn, Tags: []types.Tag{{Key: new("one more"), Value: new("")}}})
	wantError(t, err, "InvalidParameterValue", "The collection Tags must not have a size greater than 50.\n")
	for _, other := range []string{
		"arn:aws:cloudwatch::123456789012:dashboard/none", "arn:aws:cloudwatch::210987654321:dashboard/d",
		"arn:aws:cloudwatch:us-east-1:123456789012:alarm:d", "x",
	} {
		_, err = f.ListTagsForResource(t.Context(), &cw.ListTagsForResourceInput{ResourceARN: &other})
		var e *types.ResourceNotFoundException
		require.ErrorAs(t, err, &e, other)
	}
}

func TestBounds(t *testing.T) {
	f := newFixture(t)
	f.put("a", smallest)
	f.service.maxDashboards = 1
	_, err := f.PutDashboard(t.Context(), &cw.PutDashboardInput{DashboardName: new("b"), DashboardBody: new(smallest)})
	wantError(t, err, "LimitExceeded", "The maximum number of dashboards is reached.")
	f.put("a", smallest)
	f.service.maxStored = 20
	_, err = f.PutDashboard(t.Context(), &cw.PutDashboardInput{DashboardName: new("a"), DashboardBody: new(`{"widgets":[],"start":"-PT3H"}`)})
	wantError(t, err, "LimitExceeded", "The maximum size of all dashboards is reached.")
	f.put("a", smallest)
}

// failing is a storage that does not write.
type failing struct{ storage.Client }

func (failing) Batch(context.Context, ...*storage.Operation) error { return errors.New("disk on fire") }

func TestNotDurableNotSeen(t *testing.T) {
	f := newFixture(t)
	f.put("a", smallest)
	f.set.State = failing{f.state}
	f.open()
	_, err := f.PutDashboard(t.Context(), &cw.PutDashboardInput{DashboardName: new("b"), DashboardBody: new(smallest)})
	wantError(t, err, "InternalFailure", "An internal error occurred.")
	_, err = f.DeleteDashboards(t.Context(), &cw.DeleteDashboardsInput{DashboardNames: []string{"a"}})
	require.Error(t, err)
	assert.Equal(t, []string{"a"}, f.names(""))
	assert.Equal(t, int64(len(smallest)), f.service.stored)
}

// Without storage there are images only.
func TestWithoutStorage(t *testing.T) {
	f := newFixture(t)
	f.set.State = nil
	f.open()
	_, err := f.ListDashboards(t.Context(), &cw.ListDashboardsInput{})
	wantError(t, err, "NotImplemented", "Operation monitoring:ListDashboards is not implemented.")
	_, err = New(t.Context(), Settings{})
	require.ErrorContains(t, err, "a clock is required")
}
