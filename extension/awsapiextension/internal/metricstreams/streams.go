// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package metricstreams

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/objects"
	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/paging"
	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

func (s *Service) putMetricStream(ctx context.Context, in *cw.PutMetricStreamInput) (*cw.PutMetricStreamOutput, error) {
	if s.set.Metrics == nil {
		return nil, awswire.NotImplemented("A metric stream of a collector without a store " +
			"(name one in the option \"store\" of the extension aws_api)")
	}
	req := awswire.RequestFrom(ctx)
	next, err := s.readStream(in, req.Account)
	if err != nil {
		return nil, err
	}
	now := s.set.Now().UnixMilli()
	next.Region, next.Created, next.Updated = req.Region, now, now
	created := false
	err = s.rows.Change(ctx, func(c *objects.Change[row]) error {
		if old := s.rows.Get(next.key()); old != nil {
			next.Created, next.Stopped, next.Tags = old.Created, old.Stopped, old.Tags
			c.Put(next)
			return nil
		}
		created = true
		if len(in.Tags) > awsservice.MaxTags {
			return invalid("The collection Tags must not have a size greater than %d.\n", awsservice.MaxTags)
		}
		var v awswire.Validation
		awsservice.CheckTags(&v, "tags", in.Tags)
		if err := v.Err(); err != nil {
			return err
		}
		if next.Tags, err = awsservice.TagsOf(in.Tags); err != nil {
			return err
		}
		if s.rows.Len() >= maxStreams {
			return fault(codeLimit, "The maximum number of metric streams is reached.")
		}
		c.Put(next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if created {
		if err := s.beginNow(ctx, next.key()); err != nil {
			return nil, err
		}
	}
	arn := next.arn()
	return &cw.PutMetricStreamOutput{Arn: &arn}, nil
}

func (s *Service) getMetricStream(ctx context.Context, in *cw.GetMetricStreamInput) (*cw.GetMetricStreamOutput, error) {
	name, err := checkName(in.Name)
	if err != nil {
		return nil, err
	}
	req := awswire.RequestFrom(ctx)
	r := s.rows.Get(rowKey(req.Account, req.Region, name))
	if r == nil {
		return nil, notFound(name)
	}
	arn, state, linked := r.arn(), r.state(), false
	created, updated := time.UnixMilli(r.Created).UTC(), time.UnixMilli(r.Updated).UTC()
	out := &cw.GetMetricStreamOutput{
		Arn: &arn, Name: &r.Name, FirehoseArn: &r.Firehose, RoleArn: &r.Role, OutputFormat: types.MetricStreamOutputFormat(r.Format),
		State: &state, CreationDate: &created, LastUpdateDate: &updated, IncludeLinkedAccountsMetrics: &linked,
		IncludeFilters: filters(r.Include), ExcludeFilters: filters(r.Exclude),
	}
	for _, c := range r.Statistics {
		configuration := types.MetricStreamStatisticsConfiguration{AdditionalStatistics: c.Statistics}
		for _, m := range c.Metrics {
			configuration.IncludeMetrics = append(configuration.IncludeMetrics, types.MetricStreamStatisticsMetric{Namespace: &m.Namespace, MetricName: &m.Name})
		}
		out.StatisticsConfigurations = append(out.StatisticsConfigurations, configuration)
	}
	return out, nil
}

func filters(in []filter) []types.MetricStreamFilter {
	var out []types.MetricStreamFilter
	for _, f := range in {
		out = append(out, types.MetricStreamFilter{Namespace: &f.Namespace, MetricNames: f.Metrics})
	}
	return out
}

// streamsPerPage is how many streams an answer lists at most.
const streamsPerPage = 500

func (s *Service) listMetricStreams(ctx context.Context, in *cw.ListMetricStreamsInput) (*cw.ListMetricStreamsOutput, error) {
	var v awswire.Validation
	v.Range("maxResults", in.MaxResults, 1, streamsPerPage)
	if err := v.Err(); err != nil {
		return nil, err
	}
	limit := streamsPerPage
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	req := awswire.RequestFrom(ctx)
	query := [2]string{req.Account, req.Region}
	after := ""
	if in.NextToken != nil {
		if err := paging.Decode(query, *in.NextToken, &after); err != nil {
			return nil, fault(codeNextToken, "The value for parameter NextToken is invalid.")
		}
	}
	rows := s.rows.Select(func(r *row) bool { return r.Account == req.Account && r.Region == req.Region && r.Name > after })
	slices.SortFunc(rows, func(a, b *row) int { return strings.Compare(a.Name, b.Name) })
	out := &cw.ListMetricStreamsOutput{Entries: []types.MetricStreamEntry{}}
	for i, r := range rows {
		if i == limit {
			token, err := paging.Encode(query, rows[i-1].Name)
			if err != nil {
				return nil, err
			}
			out.NextToken = &token
			break
		}
		arn, state := r.arn(), r.state()
		created, updated := time.UnixMilli(r.Created).UTC(), time.UnixMilli(r.Updated).UTC()
		out.Entries = append(out.Entries, types.MetricStreamEntry{
			Arn: &arn, Name: &r.Name, FirehoseArn: &r.Firehose, OutputFormat: types.MetricStreamOutputFormat(r.Format), State: &state,
			CreationDate: &created, LastUpdateDate: &updated,
		})
	}
	return out, nil
}

func (s *Service) deleteMetricStream(ctx context.Context, in *cw.DeleteMetricStreamInput) (*cw.DeleteMetricStreamOutput, error) {
	name, err := checkName(in.Name)
	if err != nil {
		return nil, err
	}
	req := awswire.RequestFrom(ctx)
	key := rowKey(req.Account, req.Region, name)
	err = s.rows.Change(ctx, func(c *objects.Change[row]) error {
		if s.rows.Get(key) != nil {
			c.Delete(key)
		}
		return nil
	})
	if err == nil {
		err = s.forget(ctx, key)
	}
	if err != nil {
		return nil, err
	}
	return &cw.DeleteMetricStreamOutput{}, nil
}

func (s *Service) startMetricStreams(ctx context.Context, in *cw.StartMetricStreamsInput) (*cw.StartMetricStreamsOutput, error) {
	if err := s.setStopped(ctx, in.Names, false); err != nil {
		return nil, err
	}
	return &cw.StartMetricStreamsOutput{}, nil
}

func (s *Service) stopMetricStreams(ctx context.Context, in *cw.StopMetricStreamsInput) (*cw.StopMetricStreamsOutput, error) {
	if err := s.setStopped(ctx, in.Names, true); err != nil {
		return nil, err
	}
	return &cw.StopMetricStreamsOutput{}, nil
}

// setStopped starts or stops streams, all or none.
func (s *Service) setStopped(ctx context.Context, names []string, stopped bool) error {
	if len(names) == 0 {
		return fault(codeMissing, "The parameter Names is required.")
	}
	req := awswire.RequestFrom(ctx)
	var changed []string
	err := s.rows.Change(ctx, func(c *objects.Change[row]) error {
		for _, name := range names {
			r := s.rows.Get(rowKey(req.Account, req.Region, name))
			switch {
			case r == nil:
				return invalid("The metric stream %s does not exist.", name)
			case r.Stopped != stopped:
				next := *r
				next.Stopped = stopped
				c.Put(&next)
				changed = append(changed, r.key())
			}
		}
		return nil
	})
	if err != nil || stopped {
		return err
	}
	return s.beginNow(ctx, changed...)
}

// taggedRow finds the stream of an ARN, which must be of the account and region that ask.
func (s *Service) taggedRow(ctx context.Context, arn string) (*row, error) {
	parts := strings.Split(arn, ":")
	req := awswire.RequestFrom(ctx)
	if len(parts) != 6 || parts[2] != "cloudwatch" || parts[3] != req.Region || parts[4] != req.Account {
		return nil, awsservice.ErrNotTagged
	}
	name, ok := strings.CutPrefix(parts[5], "metric-stream/")
	if r := s.rows.Get(rowKey(parts[4], parts[3], name)); ok && r != nil && r.arn() == arn {
		return r, nil
	}
	return nil, awsservice.ErrNotTagged
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
	return s.editTags(ctx, arn, func(now []awsservice.Tag) ([]awsservice.Tag, error) { return objects.WithoutTags(now, keys), nil })
}

func (s *Service) editTags(ctx context.Context, arn string, edit func([]awsservice.Tag) ([]awsservice.Tag, error)) error {
	return s.rows.Change(ctx, func(c *objects.Change[row]) error {
		now, err := s.taggedRow(ctx, arn)
		if err != nil {
			return err
		}
		next := *now
		if next.Tags, err = edit(now.Tags); err != nil {
			return err
		}
		c.Put(&next)
		return nil
	})
}

var errStopped = errors.New("the stream was stopped or deleted")
