// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"context"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/objects"
	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// taggedRow finds the dashboard of an ARN, which must be of the account that asks.
func (s *Service) taggedRow(ctx context.Context, arn string) (*row, error) {
	account, name, err := parseARN(arn)
	if err != nil || s.rows == nil || account != awswire.RequestFrom(ctx).Account {
		return nil, awsservice.ErrNotTagged
	}
	r := s.rows.Get(rowKey(account, name))
	if r == nil {
		return nil, awsservice.ErrNotTagged
	}
	return r, nil
}

// ListTags implements [awsservice.TagOwner].
func (s *Service) ListTags(ctx context.Context, arn string) ([]awsservice.Tag, error) {
	r, err := s.taggedRow(ctx, arn)
	if err != nil {
		return nil, err
	}
	return r.Tags, nil
}

// AddTags implements [awsservice.TagOwner].
func (s *Service) AddTags(ctx context.Context, arn string, tags []awsservice.Tag) error {
	return s.editTags(ctx, arn, func(now []awsservice.Tag) ([]awsservice.Tag, error) { return objects.WithTags(now, tags) })
}

// RemoveTags implements [awsservice.TagOwner].
func (s *Service) RemoveTags(ctx context.Context, arn string, keys []string) error {
	return s.editTags(ctx, arn, func(now []awsservice.Tag) ([]awsservice.Tag, error) {
		return objects.WithoutTags(now, keys), nil
	})
}

func (s *Service) editTags(ctx context.Context, arn string, edit func([]awsservice.Tag) ([]awsservice.Tag, error)) error {
	if _, err := s.taggedRow(ctx, arn); err != nil {
		return err
	}
	return s.change(ctx, awswire.RequestFrom(ctx).Account, func(c *objects.Change[row]) error {
		now, err := s.taggedRow(ctx, arn)
		if err != nil {
			return err
		}
		next := *now
		if next.Tags, err = edit(now.Tags); err != nil {
			return err
		}
		next.Tagged = true
		c.Put(&next)
		return nil
	})
}
