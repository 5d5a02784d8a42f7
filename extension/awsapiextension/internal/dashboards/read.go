// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
	"github.com/nephoscope/nephoscope/pkg/dashboard"
	"github.com/nephoscope/nephoscope/pkg/widgetimage"
)

const (
	// maxPoints is how many datapoints the metrics of one image may ask for, GetMetricData's own bound.
	maxPoints = 100_800
	// maxPages bounds the requests that one group of metrics is read with.
	maxPages = 8
)

// imageReader reads the data of one image.
type imageReader struct {
	*Service
	widget     *dashboard.MetricWidget
	request    *awswire.Request
	now        time.Time
	start, end time.Time
	groups     []*group
	rows       int
}

// group is metrics and expressions that are read together: expressions see the metrics of their group.
type group struct {
	region  string
	alarm   bool
	queries []query
	results map[string][]types.MetricDataResult // by id
}

// query is a row, with the id that it is read by.
type query struct {
	dashboard.Row
	id    string
	order int // among all rows
}

func (s *Service) newReader(ctx context.Context, w *dashboard.MetricWidget) (*imageReader, error) {
	r := &imageReader{Service: s, widget: w, request: awswire.RequestFrom(ctx), now: s.set.Now()}
	if r.request == nil {
		return nil, errors.New("dashboards: no request in the context")
	}
	r.start, r.end = w.Start.At(r.now), w.End.At(r.now)
	if r.end.Unix() <= r.start.Unix() {
		return nil, invalidWidget("The parameter MetricWidget is invalid: its start must be before its end.")
	}
	if r.start.Year() < 1971 || r.end.Year() > 9000 {
		return nil, invalidWidget("The parameter MetricWidget is invalid: its time range is out of bounds.")
	}
	return r, nil
}

// add adds a row to the group of its region.
func (r *imageReader) add(region string, row dashboard.Row) {
	i := slices.IndexFunc(r.groups, func(g *group) bool { return g.region == region && !g.alarm })
	if i < 0 {
		i = len(r.groups)
		r.groups = append(r.groups, &group{region: region})
	}
	r.groups[i].add(r.rows, row)
	r.rows++
}

func (g *group) add(order int, row dashboard.Row) {
	g.queries = append(g.queries, query{Row: row, order: order})
}

// setIDs gives ids to rows without one.
func (g *group) setIDs() {
	taken := map[string]bool{}
	for i := range g.queries {
		taken[g.queries[i].ID] = true
	}
	n := 0
	for i := range g.queries {
		q := &g.queries[i]
		for q.id = q.ID; q.id == ""; {
			n++
			if id := "m" + strconv.Itoa(n); !taken[id] {
				q.id = id
			}
		}
	}
}

// tier is the shortest period, in seconds, of which CloudWatch still has the data of the start. Other periods are multiples.
func (r *imageReader) tier() int64 { return r.tierOf(r.start.Unix()) }

func (r *imageReader) tierOf(start int64) int64 {
	tiers := cloudwatch.Tiers()
	for _, t := range tiers {
		if r.now.Unix()-start <= t.MaxAge {
			return t.Period
		}
	}
	return tiers[len(tiers)-1].Period
}

// period is the period that a row is read with: its own, made longer when data of that age is not kept in it; all of the
// time range when one value is wanted.
func (r *imageReader) period(row *dashboard.Row) int64 {
	period, tier := int64(row.Period), r.tier()
	if r.widget.SetPeriodToTimeRange && r.widget.View != dashboard.ViewTimeSeries {
		period, tier = r.end.Unix()-r.start.Unix(), max(tier, 60)
	}
	if period < 60 && tier <= 1 {
		return period
	}
	tier = max(tier, 60)
	return (period + tier - 1) / tier * tier
}

// window is what is asked of GetMetricData: from a round time, so that periods begin at full minutes and hours, to where the
// last period ends that is to be seen.
func (r *imageReader) window(g *group) (start, end time.Time) {
	longest := int64(1)
	for i := range g.queries {
		longest = max(longest, r.period(&g.queries[i].Row))
	}
	from, to := r.start.Unix(), r.end.Unix()
	if r.widget.SetPeriodToTimeRange && r.widget.View != dashboard.ViewTimeSeries {
		from -= from % 60
		return time.Unix(from, 0).UTC(), time.Unix(from+longest, 0).UTC()
	}
	tier := r.tierOf(from)
	if from -= from % longest; r.tierOf(from) > tier { // which would have no data in this period
		from += longest
	}
	if r.widget.LiveData && r.widget.End.Relative() { // with the period that is not over
		to = (to/longest + 1) * longest
	}
	return time.Unix(from, 0).UTC(), time.Unix(max(to, from+longest), 0).UTC()
}

// checkSize refuses what would be too much to read.
func (r *imageReader) checkSize() error {
	points := int64(0)
	for _, g := range r.groups {
		g.setIDs()
		start, end := r.window(g)
		for i := range g.queries {
			points += (end.Unix()-start.Unix())/r.period(&g.queries[i].Row) + 1
		}
	}
	if points > maxPoints {
		return invalidWidget("The parameter MetricWidget asks for %d datapoints, more than %d: use a longer period or a shorter "+
			"time range.", points, maxPoints)
	}
	return nil
}

// readGroup reads a group, all pages of it.
func (r *imageReader) readGroup(ctx context.Context, g *group) error {
	if g.region != r.request.Region {
		there := awswire.Request{
			ID: r.request.ID, Service: r.request.Service, Operation: r.request.Operation, Protocol: r.request.Protocol,
			Account: r.request.Account, Region: g.region, AccessKey: r.request.AccessKey, Header: r.request.Header,
		}
		ctx = awswire.WithRequest(ctx, &there)
	}
	start, end := r.window(g)
	in := &cw.GetMetricDataInput{StartTime: &start, EndTime: &end, ScanBy: types.ScanByTimestampAscending}
	_, seconds := r.now.In(r.widget.Location).Zone()
	zone := fmt.Sprintf("%+03d%02d", seconds/3600, max(seconds, -seconds)/60%60)
	if seconds < 0 && seconds > -3600 {
		zone = "-" + zone[1:]
	}
	in.LabelOptions = &types.LabelOptions{Timezone: &zone}
	for i := range g.queries {
		in.MetricDataQueries = append(in.MetricDataQueries, r.dataQuery(&g.queries[i]))
	}
	g.results = map[string][]types.MetricDataResult{}
	pages := map[string]int{}
	for range maxPages {
		out, err := r.set.GetMetricData(ctx, in)
		if err != nil {
			return err
		}
		clear(pages)
		for _, result := range out.MetricDataResults {
			id := deref(result.Id)
			n := pages[id]
			pages[id]++
			if list := g.results[id]; n < len(list) { // a further page of the n-th result of this id
				list[n].Timestamps = append(list[n].Timestamps, result.Timestamps...)
				list[n].Values = append(list[n].Values, result.Values...)
				list[n].StatusCode = result.StatusCode
				continue
			}
			g.results[id] = append(g.results[id], result)
		}
		if deref(out.NextToken) == "" {
			return nil
		}
		in.NextToken = out.NextToken
	}
	return invalidWidget("The parameter MetricWidget asks for more than %d pages of datapoints: use a longer period or a shorter "+
		"time range.", maxPages)
}

func (r *imageReader) dataQuery(q *query) types.MetricDataQuery {
	visible := !q.Hidden
	period := int32(min(r.period(&q.Row), 1<<31-1))
	out := types.MetricDataQuery{Id: &q.id, Label: q.Label, ReturnData: &visible}
	if q.AccountID != "" {
		out.AccountId = &q.AccountID
	}
	if q.Expression != "" {
		out.Expression, out.Period = &q.Expression, &period
		return out
	}
	out.MetricStat = &types.MetricStat{Metric: metricOf(&q.Metric), Period: &period, Stat: &q.Stat}
	return out
}

func metricOf(m *cloudwatch.Metric) *types.Metric {
	out := &types.Metric{Namespace: &m.Namespace, MetricName: &m.Name}
	for _, d := range m.Dimensions {
		out.Dimensions = append(out.Dimensions, types.Dimension{Name: &d.Name, Value: &d.Value})
	}
	return out
}

// series are the time series of the image, in the order of their rows.
func (r *imageReader) series(ctx context.Context) ([]widgetimage.Series, error) {
	type placed struct {
		order  int
		series widgetimage.Series
	}
	var list []placed
	units := r.wantsUnits()
	for _, g := range r.groups {
		for i := range g.queries {
			q := &g.queries[i]
			if q.Hidden {
				continue
			}
			unit := ""
			if units && q.Expression == "" {
				var err error
				if unit, err = r.unit(ctx, g, q); err != nil {
					return nil, err
				}
			}
			all := r.seriesOf(q, g.results[q.id])
			for k := range all {
				all[k].Unit = unit
				list = append(list, placed{q.order, all[k]})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b placed) int { return a.order - b.order })
	out := make([]widgetimage.Series, len(list))
	for i := range list {
		out[i] = list[i].series
	}
	return out, nil
}

// seriesOf makes time series of a row's results.
func (r *imageReader) seriesOf(q *query, results []types.MetricDataResult) []widgetimage.Series {
	var list []widgetimage.Series
	for i := range results {
		result := &results[i]
		s := widgetimage.Series{
			Label: deref(result.Label), Color: q.Color, Right: q.Right, Period: r.period(&q.Row),
			Incomplete: result.StatusCode != types.StatusCodeComplete && result.StatusCode != "",
			Points:     make([]widgetimage.Point, 0, len(result.Values)),
		}
		for k := range min(len(result.Timestamps), len(result.Values)) {
			s.Points = append(s.Points, widgetimage.Point{Time: result.Timestamps[k].Unix(), Value: result.Values[k]})
		}
		list = append(list, s)
	}
	if isBand(q.Expression) && len(list) == 2 {
		list[0].Lower = list[1].Points
		list = list[:1]
	}
	return list
}

// wantsUnits is whether units are shown.
func (r *imageReader) wantsUnits() bool {
	switch {
	case r.set.GetMetricStatistics == nil:
		return false
	case r.widget.View == dashboard.ViewPie:
		return false
	case r.widget.View == dashboard.ViewTimeSeries:
		named := func(a dashboard.Axis) bool { return a.Label != "" || a.HideUnits }
		return !named(r.widget.Left) || !named(r.widget.Right)
	}
	return true
}

// unit is the unit of a metric's data in the time range, "" when it has none.
func (r *imageReader) unit(ctx context.Context, g *group, q *query) (string, error) {
	if !slices.ContainsFunc(g.results[q.id], func(m types.MetricDataResult) bool { return len(m.Values) > 0 }) {
		return "", nil
	}
	there := *r.request
	there.Region = g.region
	start, end := r.window(g)
	period := end.Unix() - start.Unix()
	tier := max(r.tier(), 60)
	seconds := int32(min((period+tier-1)/tier*tier, 1<<30))
	m := metricOf(&q.Metric)
	out, err := r.set.GetMetricStatistics(awswire.WithRequest(ctx, &there), &cw.GetMetricStatisticsInput{
		Namespace: m.Namespace, MetricName: m.MetricName, Dimensions: m.Dimensions,
		StartTime: &start, EndTime: &end, Period: &seconds, Statistics: []types.Statistic{types.StatisticSampleCount},
	})
	if err != nil {
		return "", err
	}
	// Of several units, GetMetricData answers with the first by name.
	unit := ""
	for _, p := range out.Datapoints {
		if u := string(p.Unit); unit == "" || u < unit {
			unit = u
		}
	}
	return unit, nil
}
