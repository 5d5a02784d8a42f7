// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsservice

import (
	"context"
	"errors"
)

// Tag is a key and value on a resource.
type Tag struct{ Key, Value string }

// ErrNotTagged is what a TagOwner answers for a resource that it does not have: of another kind, or not there.
var ErrNotTagged = errors.New("no such resource")

// TagOwner keeps the tags of some resources of a service. The resources of one service may have several owners: the alarms
// of CloudWatch are an extension's, its dashboards another's. [HandleMonitoringTags] asks them in turn.
type TagOwner interface {
	// ListTags returns the resource's tags, or ErrNotTagged.
	ListTags(ctx context.Context, arn string) ([]Tag, error)
	// AddTags adds tags, or replaces the values of those that are there. The keys differ. It returns ErrNotTagged, or an
	// error for the client.
	AddTags(ctx context.Context, arn string, tags []Tag) error
	// RemoveTags removes the tags with these keys that are there. It returns ErrNotTagged, or an error for the client.
	RemoveTags(ctx context.Context, arn string, keys []string) error
}
