// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/journal"
	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/service"
	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

var _ awsservice.TagOwner = (*API)(nil)

// rowOf is the alarm or mute rule of an ARN, of the account and region that ask.
func (o *operations) rowOf(arn string) (k journal.RowKey, ok bool) {
	parts := strings.SplitN(arn, ":", 7)
	if len(parts) < 7 || parts[0] != "arn" || parts[2] != "cloudwatch" || parts[6] == "" ||
		(cloudwatch.Tenant{Account: parts[4], Region: parts[3]}) != o.tenant {
		return k, false
	}
	k = journal.RowKey{Tenant: o.tenant, Name: parts[6]}
	switch {
	case parts[5] == "alarm" && alarm.ARN(o.tenant, k.Name) == arn:
		k.Kind = journal.RowAlarm
	case parts[5] == "alarm-mute-rule" && alarm.MuteRuleARN(o.tenant, k.Name) == arn:
		k.Kind = journal.RowMuteRule
	default:
		return k, false
	}
	return k, true
}

// ListTags implements [awsservice.TagOwner].
func (a *API) ListTags(ctx context.Context, arn string) ([]awsservice.Tag, error) {
	o, err := a.operations(ctx)
	if err != nil {
		return nil, err
	}
	k, ok := o.rowOf(arn)
	if !ok {
		return nil, awsservice.ErrNotTagged
	}
	tags, err := o.Tags(k)
	if errors.Is(err, service.ErrNotFound) {
		return nil, awsservice.ErrNotTagged
	}
	out := make([]awsservice.Tag, len(tags))
	for i, t := range tags {
		out[i] = awsservice.Tag(t)
	}
	return out, wire(err)
}

// AddTags implements [awsservice.TagOwner].
func (a *API) AddTags(ctx context.Context, arn string, tags []awsservice.Tag) error {
	return a.changeTags(ctx, arn, func(now []alarm.Tag) ([]alarm.Tag, error) {
		for _, t := range tags {
			if i := slices.IndexFunc(now, func(o alarm.Tag) bool { return o.Key == t.Key }); i >= 0 {
				now[i].Value = t.Value
				continue
			}
			now = append(now, alarm.Tag(t))
		}
		if len(now) > awsservice.MaxTags {
			return nil, &awswire.Error{
				Code:    "InvalidParameterValueException",
				Message: fmt.Sprintf("The resource would have %d tags; it may have %d.", len(now), awsservice.MaxTags),
			}
		}
		return now, nil
	})
}

// RemoveTags implements [awsservice.TagOwner].
func (a *API) RemoveTags(ctx context.Context, arn string, keys []string) error {
	return a.changeTags(ctx, arn, func(now []alarm.Tag) ([]alarm.Tag, error) {
		return slices.DeleteFunc(now, func(t alarm.Tag) bool { return slices.Contains(keys, t.Key) }), nil
	})
}

func (a *API) changeTags(ctx context.Context, arn string, f func([]alarm.Tag) ([]alarm.Tag, error)) error {
	o, err := a.operations(ctx)
	if err != nil {
		return err
	}
	k, ok := o.rowOf(arn)
	if !ok {
		return awsservice.ErrNotTagged
	}
	if err := o.ChangeTags(ctx, k, f); errors.Is(err, service.ErrNotFound) {
		return awsservice.ErrNotTagged
	} else if err != nil {
		return wire(err)
	}
	return nil
}
