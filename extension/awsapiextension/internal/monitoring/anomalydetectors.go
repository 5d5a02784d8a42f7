// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/objects"
	"github.com/nephoscope/nephoscope/extension/awsapiextension/internal/paging"
	"github.com/nephoscope/nephoscope/pkg/anomaly"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

const (
	maxDetectorsPage = 100
	maxDetectorIDs   = 50
	// pendingFor is how long a detector that was put waits for its training. Afterwards it is trained when its state or its
	// band is asked for.
	pendingFor = time.Minute
	// detectorPeriod is the period by which a metric is judged to have enough data: a detector itself has none.
	detectorPeriod = 300
)

// kept returns what keeps the detectors, or the error of a collector that keeps none.
func (s *service) kept() (*Detectors, error) {
	if _, err := s.reads(); err != nil {
		return nil, err
	}
	if s.detectors == nil {
		return nil, awswire.NotImplemented("Keeping anomaly detectors in a collector without a storage " +
			"(name one in the option \"storage\" of the extension aws_api)")
	}
	return s.detectors, nil
}

func (s *service) putAnomalyDetector(ctx context.Context, in *cw.PutAnomalyDetectorInput) (*cw.PutAnomalyDetectorOutput, error) {
	kept, err := s.kept()
	if err != nil {
		return nil, err
	}
	d := &detector{Put: s.now().UnixMilli()}
	target := detectorTarget{
		namespace: in.Namespace, name: in.MetricName, stat: in.Stat, dimensions: in.Dimensions, //nolint:staticcheck // clients send it
		single: in.SingleMetricAnomalyDetector, math: in.MetricMathAnomalyDetector,
	}
	if err := target.read(awswire.RequestFrom(ctx), d); err != nil {
		return nil, err
	}
	if err := d.readConfiguration(in.Configuration, in.MetricCharacteristics); err != nil {
		return nil, err
	}
	d.ID = detectorID(d.key())
	err = kept.table.Change(ctx, func(c *objects.Change[detector]) error {
		if kept.table.Get(d.key()) == nil && kept.table.Len() >= maxDetectors {
			return &awswire.Error{
				Code: "LimitExceededException", Message: fmt.Sprintf("There are %d anomaly detectors already.", maxDetectors),
			}
		}
		c.Put(d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cw.PutAnomalyDetectorOutput{AnomalyDetectorId: &d.ID}, nil
}

func (s *service) deleteAnomalyDetector(
	ctx context.Context, in *cw.DeleteAnomalyDetectorInput,
) (*cw.DeleteAnomalyDetectorOutput, error) {
	kept, err := s.kept()
	if err != nil {
		return nil, err
	}
	req := awswire.RequestFrom(ctx)
	d := &detector{}
	target := detectorTarget{
		namespace: in.Namespace, name: in.MetricName, stat: in.Stat, dimensions: in.Dimensions, //nolint:staticcheck // clients send it
		single: in.SingleMetricAnomalyDetector, math: in.MetricMathAnomalyDetector,
	}
	byID := func(o *detector) bool { return o.ID == *in.AnomalyDetectorId && o.tenant() == tenant(req) }
	switch {
	case in.AnomalyDetectorId == nil:
		if err := target.read(req, d); err != nil {
			return nil, err
		}
	case target.single != nil || target.math != nil || target.namespace != nil || target.name != nil || target.stat != nil ||
		len(target.dimensions) > 0:
		return nil, &awswire.Error{
			Code: codeInvalidCombination, Message: "The parameter AnomalyDetectorId cannot be used together with a metric or an expression.",
		}
	}
	err = kept.table.Change(ctx, func(c *objects.Change[detector]) error {
		key := d.key()
		if in.AnomalyDetectorId != nil {
			if found := kept.table.Select(byID); len(found) > 0 {
				key = found[0].key()
			}
		}
		if kept.table.Get(key) == nil {
			return &awswire.Error{Code: "ResourceNotFoundException", Message: "The anomaly detector does not exist."}
		}
		c.Delete(key)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cw.DeleteAnomalyDetectorOutput{}, nil
}

func (s *service) describeAnomalyDetectors(
	ctx context.Context, in *cw.DescribeAnomalyDetectorsInput,
) (*cw.DescribeAnomalyDetectorsOutput, error) {
	kept, err := s.kept()
	if err != nil {
		return nil, err
	}
	filter, err := readDetectorFilter(ctx, in)
	if err != nil {
		return nil, err
	}
	limit := maxDetectorsPage
	if in.MaxResults != nil {
		if limit = int(*in.MaxResults); limit < 1 || limit > maxDetectorsPage {
			return nil, invalidValue("The parameter MaxResults must be a value between 1 and %d.", maxDetectorsPage)
		}
	}
	key := *in
	key.NextToken, key.MaxResults = nil, nil
	after := ""
	if token := deref(in.NextToken); token != "" {
		switch err := paging.Decode(key, token, &after); {
		case errors.Is(err, paging.ErrToken):
			return nil, &awswire.Error{Code: codeInvalidNextToken, Message: "The value for parameter NextToken is invalid."}
		case err != nil:
			return nil, err
		}
	}
	found := kept.table.Select(func(d *detector) bool { return filter.match(d) && d.key() > after })
	slices.SortFunc(found, func(a, b *detector) int { return strings.Compare(a.key(), b.key()) })
	out := &cw.DescribeAnomalyDetectorsOutput{AnomalyDetectors: []types.AnomalyDetector{}}
	if len(found) > limit {
		found = found[:limit]
		token, err := paging.Encode(key, found[limit-1].key())
		if err != nil {
			return nil, err
		}
		out.NextToken = &token
	}
	for _, d := range found {
		state, err := s.detectorState(ctx, d)
		if err != nil {
			return nil, err
		}
		out.AnomalyDetectors = append(out.AnomalyDetectors, d.describe(state))
	}
	return out, nil
}

// detectorState trains the model of a detector that has waited long enough.
func (s *service) detectorState(ctx context.Context, d *detector) (anomaly.State, error) {
	now := s.now()
	if now.Sub(time.UnixMilli(d.Put)) < pendingFor {
		return anomaly.StatePending, nil
	}
	var model *anomaly.Model
	var err error
	if d.Metric != nil {
		m := anomaly.Metric{Metric: *d.Metric, Stat: d.Stat, Period: detectorPeriod}
		model, err = s.models.OfMetric(ctx, d.tenant(), &m, now.Unix())
	} else {
		var x *anomaly.Expression
		if x, err = readDetectorExpression(d.Account, d.Expression.Queries); err == nil {
			model, err = s.models.OfExpression(ctx, d.tenant(), x, now.Unix())
		}
	}
	if err != nil {
		return "", fmt.Errorf("state of the anomaly detector %s: %w", d.ID, err)
	}
	return model.State(), nil
}

func (d *detector) describe(state anomaly.State) types.AnomalyDetector {
	out := types.AnomalyDetector{
		AnomalyDetectorId: &d.ID,
		StateValue:        types.AnomalyDetectorStateValue(state),
		Configuration: &types.AnomalyDetectorConfiguration{
			ExcludedTimeRanges: make([]types.Range, len(d.Excluded)), MetricTimezone: d.Timezone,
			AdaptationSpeed:          types.AnomalyDetectorAdaptationSpeed(d.Adaptation),
			OutlierFilteringStrength: types.AnomalyDetectorOutlierFilteringStrength(d.Filtering),
		},
	}
	for i, r := range d.Excluded {
		start, end := time.Unix(r.Start, 0).UTC(), time.Unix(r.End, 0).UTC()
		out.Configuration.ExcludedTimeRanges[i] = types.Range{StartTime: &start, EndTime: &end}
	}
	if d.PeriodicSpikes != nil {
		out.MetricCharacteristics = &types.MetricCharacteristics{PeriodicSpikes: d.PeriodicSpikes}
	}
	if d.Metric == nil {
		out.MetricMathAnomalyDetector = &types.MetricMathAnomalyDetector{MetricDataQueries: d.Expression.Queries}
		return out
	}
	m := metricToAWS(d.Metric)
	out.Namespace, out.MetricName, out.Dimensions, out.Stat = m.Namespace, m.MetricName, m.Dimensions, &d.Stat //nolint:staticcheck // CloudWatch answers both forms
	out.SingleMetricAnomalyDetector = &types.SingleMetricAnomalyDetector{
		AccountId: &d.Account, Namespace: m.Namespace, MetricName: m.MetricName, Dimensions: m.Dimensions, Stat: &d.Stat,
	}
	return out
}

// detectorFilter selects detectors.
type detectorFilter struct {
	req             *awswire.Request
	ids             []string
	metrics, math   bool
	namespace, name *string
	dimensions      []cloudwatch.Dimension
}

func readDetectorFilter(ctx context.Context, in *cw.DescribeAnomalyDetectorsInput) (*detectorFilter, error) {
	f := &detectorFilter{req: awswire.RequestFrom(ctx), ids: in.AnomalyDetectorIds, namespace: in.Namespace, name: in.MetricName}
	var bad faults
	if in.Namespace != nil {
		bad.addWanted("Namespace", *in.Namespace, maxNameLength)
	}
	if in.MetricName != nil {
		bad.addWanted("MetricName", *in.MetricName, maxNameLength)
	}
	f.dimensions = readMetric(&bad, "", nil, nil, in.Dimensions).Dimensions
	for _, t := range in.AnomalyDetectorTypes {
		switch t {
		case types.AnomalyDetectorTypeSingleMetric:
			f.metrics = true
		case types.AnomalyDetectorTypeMetricMath:
			f.math = true
		default:
			bad.addValue("The parameter AnomalyDetectorTypes must be a value in the set [ SINGLE_METRIC, METRIC_MATH ].")
		}
	}
	switch {
	case len(f.ids) > maxDetectorIDs:
		bad.addValue("The collection AnomalyDetectorIds must not have a size greater than %d.", maxDetectorIDs)
	case len(f.ids) > 0 && (in.Namespace != nil || in.MetricName != nil || len(in.Dimensions) > 0 || len(in.AnomalyDetectorTypes) > 0):
		bad.addCombination("The parameter AnomalyDetectorIds cannot be used together with other filters.")
	case len(f.ids) > 0:
		f.metrics, f.math = true, true
	case len(in.AnomalyDetectorTypes) == 0:
		f.metrics = true
	}
	return f, bad.err()
}

func (f *detectorFilter) match(d *detector) bool {
	if d.tenant() != tenant(f.req) || len(f.ids) > 0 && !slices.Contains(f.ids, d.ID) {
		return false
	}
	if d.Metric != nil {
		return f.metrics && f.matchMetric(d.Metric)
	}
	return f.math && (f.namespace == nil && f.name == nil && len(f.dimensions) == 0 ||
		slices.ContainsFunc(d.Expression.Queries, func(q types.MetricDataQuery) bool {
			if q.MetricStat == nil {
				return false
			}
			in := q.MetricStat.Metric
			m := readMetric(&faults{}, "", in.Namespace, in.MetricName, in.Dimensions)
			return f.matchMetric(&m)
		}))
}

// matchMetric wants all of the filter's dimensions and no others.
func (f *detectorFilter) matchMetric(m *cloudwatch.Metric) bool {
	return (f.namespace == nil || m.Namespace == *f.namespace) && (f.name == nil || m.Name == *f.name) &&
		(len(f.dimensions) == 0 || slices.Equal(f.dimensions, m.Dimensions))
}
