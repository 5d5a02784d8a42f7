// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/objects"
	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/paging"
	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/dashboard"
)

// row is what is kept of a dashboard beside its body, which has a key of its own. Dashboards are an account's: they are the
// same in all regions.
type row struct {
	Account  string `json:"account"`
	Name     string `json:"name"`
	Modified int64  `json:"modified"` // Unix seconds
	// Size is what ListDashboards tells, but for the tags.
	Size   int64            `json:"size"`
	Stored int64            `json:"stored"` // bytes of the body
	Tagged bool             `json:"tagged,omitempty"`
	Tags   []awsservice.Tag `json:"tags,omitempty"`
}

func (r *row) key() string { return rowKey(r.Account, r.Name) }

// rowKey is unambiguous: an account is digits.
func rowKey(account, name string) string { return account + "/" + name }

func bodyKey(key string) string { return "dashboards/body/" + key }

// size is what ListDashboards tells.
func (r *row) size() int64 {
	tags := make(map[string]string, len(r.Tags))
	for _, t := range r.Tags {
		tags[t.Key] = t.Value
	}
	return r.Size + dashboard.Size("", r.Tagged, tags) - dashboard.Size("", false, nil)
}

func (s *Service) putDashboard(ctx context.Context, in *cw.PutDashboardInput) (*cw.PutDashboardOutput, error) {
	name, err := requiredName(in.DashboardName)
	if err != nil {
		return nil, err
	}
	if deref(in.DashboardBody) == "" {
		return nil, invalidValue("The parameter DashboardBody is required.")
	}
	doc, err := dashboard.Parse(*in.DashboardBody)
	if err != nil {
		return nil, &awswire.Error{Code: codeInvalidInput, Message: err.Error()}
	}
	text := doc.Text()
	next := row{
		Account: awswire.RequestFrom(ctx).Account, Name: name, Modified: s.set.Now().Unix(),
		Size: dashboard.Size(text, false, nil), Stored: int64(len(text)),
	}
	err = s.change(ctx, next.Account, func(c *objects.Change[row]) error {
		stored := s.stored + next.Stored
		if now := s.rows.Get(next.key()); now != nil {
			// Tags are those of the creation, and of TagResource.
			next.Tagged, next.Tags = now.Tagged, now.Tags
			stored -= now.Stored
		} else {
			if next.Tags, err = newTags(in.Tags); err != nil {
				return err
			}
			next.Tagged = len(next.Tags) > 0
			if s.rows.Len() >= s.maxDashboards {
				return &awswire.Error{Code: codeLimit, Message: "The maximum number of dashboards is reached."}
			}
		}
		if stored > s.maxStored && stored > s.stored {
			return &awswire.Error{Code: codeLimit, Message: "The maximum size of all dashboards is reached."}
		}
		c.Put(&next)
		c.Also(storage.SetOperation(bodyKey(next.key()), []byte(text)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &cw.PutDashboardOutput{DashboardValidationMessages: []types.DashboardValidationMessage{}}
	for _, w := range doc.Warnings {
		out.DashboardValidationMessages = append(out.DashboardValidationMessages,
			types.DashboardValidationMessage{DataPath: &w.Path, Message: &w.Message})
	}
	return out, nil
}

// newTags checks the tags of a dashboard that is created.
func newTags(in []types.Tag) ([]awsservice.Tag, error) {
	if len(in) > awsservice.MaxTags {
		return nil, invalidValue("The collection Tags must not have a size greater than %d.", awsservice.MaxTags)
	}
	var v awswire.Validation
	awsservice.CheckTags(&v, "tags", in)
	if err := v.Err(); err != nil {
		return nil, err
	}
	return awsservice.TagsOf(in)
}

// change makes a change to an account's dashboards.
func (s *Service) change(ctx context.Context, account string, decide func(c *objects.Change[row]) error) error {
	var before, after int64
	err := s.rows.Change(ctx, func(c *objects.Change[row]) error {
		if err := decide(c); err != nil {
			return err
		}
		for old, next := range c.Rows() {
			if old != nil {
				before += old.Stored
			}
			if next != nil {
				after += next.Stored
			}
		}
		c.Done(func() {
			s.stored += after - before
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.names, account)
		})
		return nil
	})
	return err
}

func (s *Service) getDashboard(ctx context.Context, in *cw.GetDashboardInput) (*cw.GetDashboardOutput, error) {
	name, err := requiredName(in.DashboardName)
	if err != nil {
		return nil, err
	}
	key := rowKey(awswire.RequestFrom(ctx).Account, name)
	if s.rows.Get(key) == nil {
		return nil, notFound(name)
	}
	text, err := s.set.State.Get(ctx, bodyKey(key))
	if err != nil {
		return nil, err
	}
	if text == nil { // deleted meanwhile
		return nil, notFound(name)
	}
	body, arn := string(text), arnOf(awswire.RequestFrom(ctx).Account, awswire.RequestFrom(ctx).Region, name)
	return &cw.GetDashboardOutput{DashboardName: &name, DashboardArn: &arn, DashboardBody: &body}, nil
}

// dashboardsPerPage is how many dashboards an answer lists.
const dashboardsPerPage = 1000

func (s *Service) listDashboards(ctx context.Context, in *cw.ListDashboardsInput) (*cw.ListDashboardsOutput, error) {
	prefix := deref(in.DashboardNamePrefix)
	if err := checkName("DashboardNamePrefix", prefix); err != nil {
		return nil, err
	}
	req := awswire.RequestFrom(ctx)
	type query struct{ Account, Prefix string }
	after := ""
	if in.NextToken != nil {
		if err := paging.Decode(query{req.Account, prefix}, *in.NextToken, &after); err != nil {
			return nil, &awswire.Error{Code: codeValidation, Message: "Invalid NextToken"}
		}
	}
	rows := s.sorted(req.Account)
	from, found := slices.BinarySearchFunc(rows, max(after, prefix), func(r *row, name string) int { return strings.Compare(r.Name, name) })
	if found && after != "" && rows[from].Name == after {
		from++
	}
	out := &cw.ListDashboardsOutput{DashboardEntries: []types.DashboardEntry{}}
	for _, r := range rows[from:] {
		if !strings.HasPrefix(r.Name, prefix) {
			break
		}
		if n := len(out.DashboardEntries); n == dashboardsPerPage {
			token, err := paging.Encode(query{req.Account, prefix}, *out.DashboardEntries[n-1].DashboardName)
			if err != nil {
				return nil, err
			}
			out.NextToken = &token
			break
		}
		arn, modified, size := arnOf(r.Account, req.Region, r.Name), time.Unix(r.Modified, 0).UTC(), r.size()
		out.DashboardEntries = append(out.DashboardEntries, types.DashboardEntry{
			DashboardName: &r.Name, DashboardArn: &arn, LastModified: &modified, Size: &size,
		})
	}
	return out, nil
}

// sorted are an account's dashboards by name.
func (s *Service) sorted(account string) []*row {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rows, ok := s.names[account]; ok {
		return rows
	}
	rows := s.rows.Select(func(r *row) bool { return r.Account == account })
	slices.SortFunc(rows, func(a, b *row) int { return strings.Compare(a.Name, b.Name) })
	if len(rows) > 0 {
		s.names[account] = rows
	}
	return rows
}

// maxDeleted is how many dashboards one request may delete.
const maxDeleted = 100

func (s *Service) deleteDashboards(ctx context.Context, in *cw.DeleteDashboardsInput) (*cw.DeleteDashboardsOutput, error) {
	if len(in.DashboardNames) == 0 {
		return nil, invalidValue("Field DashboardNames is required and has to contain at least 1 element.")
	}
	distinct := map[string]bool{}
	for i, name := range in.DashboardNames {
		if err := checkListed(i, name); err != nil {
			return nil, err
		}
		distinct[name] = true
	}
	if len(distinct) > maxDeleted {
		return nil, invalidValue("The collection DashboardNames must not have a size greater than %d.", maxDeleted)
	}
	account := awswire.RequestFrom(ctx).Account
	err := s.change(ctx, account, func(c *objects.Change[row]) error {
		for name := range distinct {
			if key := rowKey(account, name); s.rows.Get(key) != nil {
				c.Delete(key)
				c.Also(storage.DeleteOperation(bodyKey(key)))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cw.DeleteDashboardsOutput{}, nil
}

var errNotOurs = errors.New("the ARN is not of a dashboard")

func arnOf(account, region, name string) string {
	return "arn:" + partition(region) + ":cloudwatch::" + account + ":dashboard/" + name
}

func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// parseARN reads the ARN of a dashboard.
func parseARN(arn string) (account, name string, err error) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") || parts[2] != "cloudwatch" || parts[3] != "" {
		return "", "", errNotOurs
	}
	name, ok := strings.CutPrefix(parts[5], "dashboard/")
	if !ok {
		return "", "", errNotOurs
	}
	return parts[4], name, nil
}
