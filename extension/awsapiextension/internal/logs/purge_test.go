// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"errors"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Tombstones are kept as long as they hide something, and make room after that.
func TestLimits(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	f.service.reg.maxGroups, f.service.reg.maxStreams = 3, 3
	f.createGroup("a")
	f.createGroup("b")
	f.createGroup("c")
	_, err := f.CreateLogGroup(ctx, &api.CreateLogGroupInput{LogGroupName: new("d")})
	wantError(t, err, "LimitExceededException", "Resource limit exceeded.")
	for _, s := range []string{"1", "2", "3"} {
		f.createStream("a", s)
	}
	f.put("a", "1", "hidden later")
	_, err = f.CreateLogStream(ctx, &api.CreateLogStreamInput{LogGroupName: new("a"), LogStreamName: new("4")})
	wantError(t, err, "LimitExceededException", "Resource limit exceeded.")
	for _, s := range []string{"1", "2"} {
		_, err = f.DeleteLogStream(ctx, &api.DeleteLogStreamInput{LogGroupName: new("a"), LogStreamName: &s})
		require.NoError(t, err)
	}
	_, err = f.DeleteLogGroup(ctx, &api.DeleteLogGroupInput{LogGroupName: new("b")})
	require.NoError(t, err)
	_, err = f.CreateLogGroup(ctx, &api.CreateLogGroupInput{LogGroupName: new("d")})
	wantError(t, err, "LimitExceededException", "Resource limit exceeded.")

	f.clock.advance(purgeAge + time.Millisecond)
	f.createGroup("d")
	f.createStream("a", "4")
	_, err = f.CreateLogStream(ctx, &api.CreateLogStreamInput{LogGroupName: new("a"), LogStreamName: new("5")})
	wantError(t, err, "LimitExceededException", "Resource limit exceeded.")
	assert.Empty(t, f.messages("a"), "the tombstone of the stream with an event is still there")
	f.open()
	assert.Empty(t, f.messages("a"))
	assert.Equal(t, 3, f.service.reg.groups.len())
	assert.Equal(t, 3, f.service.reg.streams.len())

	// A group that exists again loses its tombstone, not itself.
	_, err = f.DeleteLogGroup(ctx, &api.DeleteLogGroupInput{LogGroupName: new("d")})
	require.NoError(t, err)
	f.createGroup("d")
	f.clock.advance(purgeAge + time.Millisecond)
	n, err := f.service.purge(ctx)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	v, ok := f.service.reg.view(testTenant, "d")
	require.True(t, ok)
	assert.Zero(t, v.HiddenUntil)
}

// A change that the storage refused has not happened.
func TestStateFails(t *testing.T) {
	state := newMemoryState()
	reg, err := openRegistry(t.Context(), state)
	require.NoError(t, err)
	put := func(name string) error {
		return reg.putGroup(t.Context(), testTenant, name, func(*groupRow) (*groupRow, error) {
			return &groupRow{Account: testAccount, Region: testRegion, Name: name, Exists: true}, nil
		})
	}
	stream := func(name string) error {
		return reg.putStream(t.Context(), testTenant, "a", name, func(*streamRow) (*streamRow, error) {
			return &streamRow{Account: testAccount, Region: testRegion, Group: "a", Name: name, Exists: true}, nil
		})
	}
	require.NoError(t, put("a"))
	require.NoError(t, stream("s"))
	require.ErrorIs(t, reg.putStream(t.Context(), testTenant, "none", "s", nil), errNoGroup)
	id, err := reg.putDefinition(t.Context(), &definitionRow{Account: testAccount, Region: testRegion, Name: "q"})
	require.NoError(t, err)
	broken := errors.New("broken")
	state.err = broken
	require.ErrorIs(t, put("b"), broken)
	require.ErrorIs(t, stream("s2"), broken)
	require.ErrorIs(t, reg.deleteGroup(t.Context(), testTenant, "a", 1), broken)
	require.ErrorIs(t, reg.deleteStream(t.Context(), testTenant, "a", "s", 1), broken)
	require.ErrorIs(t, reg.deleteDefinition(t.Context(), testTenant, id), broken)
	_, err = reg.putDefinition(t.Context(), &definitionRow{Account: testAccount, Region: testRegion, Name: "q2"})
	require.ErrorIs(t, err, broken)
	_, err = openRegistry(t.Context(), state)
	require.ErrorIs(t, err, broken)
	state.err = nil
	for range 2 { // as it is, and as it is read again
		_, ok := reg.view(testTenant, "a")
		assert.True(t, ok)
		_, ok = reg.view(testTenant, "b")
		assert.False(t, ok)
		assert.True(t, reg.hasStream(testTenant, "a", "s"))
		assert.False(t, reg.hasStream(testTenant, "a", "s2"))
		assert.Len(t, reg.definitionRows(testTenant), 1)
		reg, err = openRegistry(t.Context(), state)
		require.NoError(t, err)
	}
}
