// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/uuid"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/paging"
	"github.com/nephoscope/nephoscope/internal/store"
	"github.com/nephoscope/nephoscope/pkg/cloudwatchlogs"
)

const maxQueryParameters = 20

var (
	queryParameterName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	clientToken        = regexp.MustCompile(`^\S{36,128}$`)
)

var errNoDefinition = notFound("The specified query definition does not exist.")

func checkDefinition(in *api.PutQueryDefinitionInput) error {
	var c checks
	if c.required(in.Name != nil, "name") {
		c.length(in.Name, "name", 1, 255)
	}
	if c.required(in.QueryString != nil, "queryString") {
		c.length(in.QueryString, "queryString", 1, cloudwatchlogs.MaxQueryLength)
	}
	c.length(absent(in.QueryDefinitionId), "queryDefinitionId", 1, 256)
	for i := range in.LogGroupNames {
		c.group(&in.LogGroupNames[i], fmt.Sprintf("logGroupNames.%d.member", i+1))
	}
	if t := in.ClientToken; t != nil && !clientToken.MatchString(*t) {
		c.fail(shown(*t), "clientToken", `Member must satisfy regular expression pattern: \S{36,128}`)
	}
	c.size(len(in.Parameters), "parameters", 0, maxQueryParameters)
	for i, p := range in.Parameters {
		member := fmt.Sprintf("parameters.%d.member.", i+1)
		if c.required(p.Name != nil, member+"name") {
			c.length(p.Name, member+"name", 1, 128)
			if !queryParameterName.MatchString(*p.Name) {
				c.fail(shown(*p.Name), member+"name", `Member must satisfy regular expression pattern: ^[a-zA-Z_][a-zA-Z0-9_]*`)
			}
		}
		c.length(p.DefaultValue, member+"defaultValue", 0, 1024)
		c.length(p.Description, member+"description", 0, 512)
	}
	enum(&c, in.QueryLanguage, "queryLanguage", types.QueryLanguage("").Values()...)
	if err := c.err(); err != nil {
		return err
	}
	return checkLanguage(in.QueryLanguage)
}

// checkLanguage refuses query languages other than Logs Insights' own.
func checkLanguage(l types.QueryLanguage) error {
	if l != "" && l != types.QueryLanguageCwli {
		return unsupported("queryLanguage", "the language "+string(l))
	}
	return nil
}

// putQueryDefinition saves a query, as a new one or in place of the one it names. The clientToken makes a repeated call
// the same as one.
func (s *Service) putQueryDefinition(ctx context.Context, in *api.PutQueryDefinitionInput) (*api.PutQueryDefinitionOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkDefinition(in); err != nil {
		return nil, err
	}
	row := &definitionRow{
		Account: t.Account, Region: t.Region, ID: deref(absent(in.QueryDefinitionId)), Name: *in.Name, Query: *in.QueryString,
		Groups: slices.Clone(in.LogGroupNames), Modified: s.nowMs(), Token: deref(in.ClientToken),
	}
	for _, p := range in.Parameters {
		row.Parameters = append(row.Parameters, definitionParam{Name: *p.Name, Default: p.DefaultValue, Description: p.Description})
	}
	id, err := s.reg.putDefinition(ctx, row)
	if err != nil {
		return nil, err
	}
	return &api.PutQueryDefinitionOutput{QueryDefinitionId: &id}, nil
}

func (s *Service) deleteQueryDefinition(ctx context.Context, in *api.DeleteQueryDefinitionInput) (*api.DeleteQueryDefinitionOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	var c checks
	if c.required(in.QueryDefinitionId != nil, "queryDefinitionId") {
		c.length(in.QueryDefinitionId, "queryDefinitionId", 1, 256)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	if err := s.reg.deleteDefinition(ctx, t, *in.QueryDefinitionId); err != nil {
		return nil, err
	}
	return &api.DeleteQueryDefinitionOutput{Success: true}, nil
}

// definitionPlace is where a listing of saved queries goes on.
type definitionPlace struct{ Name, ID string }

func (s *Service) describeQueryDefinitions(ctx context.Context, in *api.DescribeQueryDefinitionsInput) (*api.DescribeQueryDefinitionsOutput, error) {
	t, err := tenantOf(ctx)
	if err != nil {
		return nil, err
	}
	var c checks
	c.length(in.QueryDefinitionNamePrefix, "queryDefinitionNamePrefix", 1, 255)
	number(&c, in.MaxResults, "maxResults", 1, 1000)
	enum(&c, in.QueryLanguage, "queryLanguage", types.QueryLanguage("").Values()...)
	if err := c.err(); err != nil {
		return nil, err
	}
	request := []any{"DescribeQueryDefinitions", t, in.QueryDefinitionNamePrefix, in.QueryLanguage}
	var after definitionPlace
	if token := absent(in.NextToken); token != nil && paging.Decode(request, *token, &after) != nil {
		return nil, errToken
	}
	order := func(a, b definitionPlace) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	}
	rows := slices.DeleteFunc(s.reg.definitionRows(t), func(r *definitionRow) bool {
		return !strings.HasPrefix(r.Name, deref(in.QueryDefinitionNamePrefix)) ||
			in.QueryLanguage != "" && in.QueryLanguage != types.QueryLanguageCwli ||
			order(definitionPlace{r.Name, r.ID}, after) <= 0
	})
	slices.SortFunc(rows, func(a, b *definitionRow) int {
		return order(definitionPlace{a.Name, a.ID}, definitionPlace{b.Name, b.ID})
	})
	limit := 1000
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	out := &api.DescribeQueryDefinitionsOutput{QueryDefinitions: []types.QueryDefinition{}}
	if len(rows) > limit {
		rows = rows[:limit]
		next, err := paging.Encode(request, definitionPlace{rows[limit-1].Name, rows[limit-1].ID})
		if err != nil {
			return nil, err
		}
		out.NextToken = &next
	}
	for _, r := range rows {
		d := types.QueryDefinition{
			QueryDefinitionId: new(r.ID), Name: new(r.Name), QueryString: new(r.Query), QueryLanguage: types.QueryLanguageCwli,
			LastModified: new(r.Modified), LogGroupNames: slices.Clone(r.Groups),
		}
		for _, p := range r.Parameters {
			d.Parameters = append(d.Parameters, types.QueryParameter{Name: new(p.Name), DefaultValue: p.Default, Description: p.Description})
		}
		out.QueryDefinitions = append(out.QueryDefinitions, d)
	}
	return out, nil
}

// definitionRows returns a tenant's saved queries, in no order.
func (r *registry) definitionRows(t store.Tenant) []*definitionRow {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var rows []*definitionRow
	if ts := r.tenants[t]; ts != nil {
		for _, row := range ts.definitions {
			rows = append(rows, row)
		}
	}
	return rows
}

// putDefinition stores a saved query and returns its id: row.ID if it has one, which then must exist.
func (r *registry) putDefinition(ctx context.Context, row *definitionRow) (string, error) {
	r.change.Lock()
	defer r.change.Unlock()
	t := store.Tenant{Account: row.Account, Region: row.Region}
	rows := r.definitionRows(t)
	var now *definitionRow
	for _, o := range rows {
		if row.ID == "" && row.Token != "" && o.Token == row.Token {
			return o.ID, nil
		}
		if row.ID != "" && o.ID == row.ID {
			now = o
		}
	}
	switch {
	case row.ID == "":
		if len(rows) >= r.maxDefinitions {
			return "", errLimit
		}
		row.ID = uuid.NewString()
	case now == nil:
		return "", errNoDefinition
	default:
		row.Token = now.Token
	}
	c, err := r.definitions.plan([]*definitionRow{row}, nil)
	if err != nil {
		return "", err
	}
	if err := commit(context.WithoutCancel(ctx), r.client, c); err != nil {
		return "", storageError("store query definition", err)
	}
	r.mu.Lock()
	r.tenant(t).definitions[row.ID] = row
	r.mu.Unlock()
	return row.ID, nil
}

func (r *registry) deleteDefinition(ctx context.Context, t store.Tenant, id string) error {
	r.change.Lock()
	defer r.change.Unlock()
	key := definitionKey(&definitionRow{Account: t.Account, Region: t.Region, ID: id})
	if !r.definitions.has(key) {
		return errNoDefinition
	}
	c, err := r.definitions.plan(nil, []string{key})
	if err != nil {
		return err
	}
	if err := commit(context.WithoutCancel(ctx), r.client, c); err != nil {
		return storageError("delete query definition", err)
	}
	r.mu.Lock()
	delete(r.tenant(t).definitions, id)
	r.mu.Unlock()
	return nil
}
