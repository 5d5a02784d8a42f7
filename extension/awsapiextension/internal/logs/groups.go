// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"maps"
	"slices"
	"strings"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

const textNameTooLong = "Invalid LogGroup or LogStream, both must have length less than or equal to 512."

func (s *Service) createLogGroup(ctx context.Context, in *api.CreateLogGroupInput) error {
	t, err := tenantOf(ctx)
	if err != nil {
		return err
	}
	name := deref(in.LogGroupName)
	if characters(name) > cloudwatchlogs.MaxNameLength {
		return invalidParameter(textNameTooLong)
	}
	var c checks
	if c.required(in.LogGroupName != nil, "logGroupName") {
		c.group(in.LogGroupName, "logGroupName")
	}
	enum(&c, in.LogGroupClass, "logGroupClass", types.LogGroupClass("").Values()...)
	checkTags(&c, in.Tags)
	if err := c.err(); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(name, cloudwatchlogs.ReservedGroupPrefix):
		return invalidParameter("Log groups starting with AWS/ are reserved for AWS.")
	case in.KmsKeyId != nil:
		return unsupported("kmsKeyId", "encryption with a KMS key")
	case in.LogGroupClass != "" && in.LogGroupClass != types.LogGroupClassStandard && in.LogGroupClass != types.LogGroupClassInfrequentAccess:
		return unsupported("logGroupClass", "the class "+string(in.LogGroupClass))
	}
	// A group that came into being through other receivers exists as much as one created here.
	switch _, err := s.lookup(ctx, t, name); {
	case err == nil:
		return errGroupExists
	case err != errNoGroup: //nolint:errorlint // lookup returns this very value
		return err
	}
	now := s.nowMs()
	create := func(row *groupRow) (*groupRow, error) {
		if row != nil && row.Exists {
			return nil, errGroupExists
		}
		made := &groupRow{
			Account: t.Account, Region: t.Region, Name: name, Exists: true, Created: now,
			Protected: deref(in.DeletionProtectionEnabled), Tags: maps.Clone(in.Tags),
		}
		if in.LogGroupClass != types.LogGroupClassStandard {
			made.Class = string(in.LogGroupClass)
		}
		if row != nil {
			made.HiddenUntil = row.HiddenUntil
		}
		return made, nil
	}
	return s.withRoom(ctx, func() error { return s.reg.putGroup(ctx, t, name, create) })
}

func (s *Service) deleteLogGroup(ctx context.Context, in *api.DeleteLogGroupInput) error {
	t, v, err := s.oneGroup(ctx, in.LogGroupName)
	if err != nil {
		return err
	}
	until, err := s.latestIngested(ctx, t, store.LogGroupRange{Group: v.Name}, "")
	if err != nil {
		return err
	}
	return s.reg.deleteGroup(ctx, t, v.Name, until)
}

// latestIngested is the latest time of ingestion that an event of the group, or of one of its streams, can have: now,
// unless the clock went back.
func (s *Service) latestIngested(ctx context.Context, t store.Tenant, w store.LogGroupRange, stream string) (int64, error) {
	latest := s.nowMs()
	if s.store == nil {
		return latest, nil
	}
	streams, err := s.store.LogStreams(ctx, t, w)
	if err != nil {
		return 0, storageError("list log streams", err)
	}
	for i := range streams {
		if stream == "" || streams[i].Stream == stream {
			latest = max(latest, streams[i].LastIngested)
		}
	}
	return latest, nil
}

// oneGroup checks an input's logGroupName and finds the group.
func (s *Service) oneGroup(ctx context.Context, name *string) (store.Tenant, groupView, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return t, groupView{}, err
	}
	var c checks
	if c.required(name != nil, "logGroupName") {
		c.group(name, "logGroupName")
	}
	if err := c.err(); err != nil {
		return t, groupView{}, err
	}
	v, err := s.lookup(ctx, t, *name)
	return t, v, err
}

// editGroup changes the row of a group that exists.
func (s *Service) editGroup(ctx context.Context, t store.Tenant, name string, edit func(*groupRow) error) error {
	return s.reg.putGroup(ctx, t, name, func(row *groupRow) (*groupRow, error) {
		if row == nil || !row.Exists {
			return nil, errNoGroup
		}
		return row, edit(row)
	})
}

func (s *Service) putRetentionPolicy(ctx context.Context, in *api.PutRetentionPolicyInput) error {
	t, err := tenantOf(ctx)
	if err != nil {
		return err
	}
	var c checks
	if c.required(in.LogGroupName != nil, "logGroupName") {
		c.group(in.LogGroupName, "logGroupName")
	}
	if c.required(in.RetentionInDays != nil, "retentionInDays") && !slices.Contains(cloudwatchlogs.RetentionDays, *in.RetentionInDays) {
		c.fail(*in.RetentionInDays, "retentionInDays", "Member must satisfy enum value set: "+list(cloudwatchlogs.RetentionDays))
	}
	if err := c.err(); err != nil {
		return err
	}
	if _, err := s.lookup(ctx, t, *in.LogGroupName); err != nil {
		return err
	}
	return s.editGroup(ctx, t, *in.LogGroupName, func(row *groupRow) error {
		row.Retention = *in.RetentionInDays
		return nil
	})
}

func (s *Service) deleteRetentionPolicy(ctx context.Context, in *api.DeleteRetentionPolicyInput) error {
	t, v, err := s.oneGroup(ctx, in.LogGroupName)
	if err != nil {
		return err
	}
	return s.editGroup(ctx, t, v.Name, func(row *groupRow) error {
		row.Retention = 0
		return nil
	})
}

func (s *Service) putLogGroupDeletionProtection(ctx context.Context, in *api.PutLogGroupDeletionProtectionInput) error {
	t, err := tenantOf(ctx)
	if err != nil {
		return err
	}
	var c checks
	if c.required(in.LogGroupIdentifier != nil, "logGroupIdentifier") {
		c.identifier(in.LogGroupIdentifier, "logGroupIdentifier")
	}
	c.required(in.DeletionProtectionEnabled != nil, "deletionProtectionEnabled")
	if err := c.err(); err != nil {
		return err
	}
	name, err := groupName(t, *in.LogGroupIdentifier)
	if err != nil {
		return err
	}
	if _, err := s.lookup(ctx, t, name); err != nil {
		return err
	}
	return s.editGroup(ctx, t, name, func(row *groupRow) error {
		row.Protected = *in.DeletionProtectionEnabled
		return nil
	})
}
