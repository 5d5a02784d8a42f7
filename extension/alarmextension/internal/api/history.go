// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"fmt"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/journal"
	"github.com/nephoscope/nephoscope/pkg/alarm/alarmevent"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

func (o *operations) describeAlarmHistory(
	ctx context.Context, in *cw.DescribeAlarmHistoryInput,
) (*cw.DescribeAlarmHistoryOutput, error) {
	if err := checkHistory(in); err != nil {
		return nil, err
	}
	request := *in
	request.NextToken, request.MaxRecords = nil, nil
	after, err := readToken[journal.Position](in.NextToken, "DescribeAlarmHistory", o.tenant, request)
	if err != nil {
		return nil, err
	}
	q := &journal.Query{
		Tenant: o.tenant, Alarm: deref(in.AlarmName), Types: historyTypes(in), Contributor: deref(in.AlarmContributorId),
		Start: deref(in.StartDate), End: endOf(in.EndDate), Descending: in.ScanBy != types.ScanByTimestampAscending,
		After: after, Limit: maxRecordsPage,
	}
	for _, t := range in.AlarmTypes {
		q.AlarmTypes = append(q.AlarmTypes, string(t))
	}
	if len(q.AlarmTypes) == 0 {
		q.AlarmTypes = []string{alarmevent.TypeMetricAlarm}
	}
	if in.MaxRecords != nil {
		q.Limit = int(*in.MaxRecords)
	}
	entries, more, err := o.History(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read the history of alarms: %w", err)
	}
	out := &cw.DescribeAlarmHistoryOutput{AlarmHistoryItems: make([]types.AlarmHistoryItem, 0, len(entries))}
	for _, e := range entries {
		if item, ok := historyItem(e); ok {
			out.AlarmHistoryItems = append(out.AlarmHistoryItems, item)
		}
	}
	if more && len(entries) > 0 {
		out.NextToken, err = nextToken(entries[len(entries)-1].Position(), "DescribeAlarmHistory", o.tenant, request)
	}
	return out, err
}

// endOf is the end of the millisecond, of which clients are shown no parts.
func endOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Truncate(time.Millisecond).Add(time.Millisecond - 1)
}

func checkHistory(in *cw.DescribeAlarmHistoryInput) error {
	var v awswire.Validation
	v.Length("alarmName", in.AlarmName, 1, maxAlarmName)
	checkAlarmTypes(&v, in.AlarmTypes)
	if in.HistoryItemType != "" {
		v.Enum("historyItemType", in.HistoryItemType, awswire.EnumValues(in.HistoryItemType.Values())...)
	}
	v.Range("maxRecords", in.MaxRecords, 1, maxRecordsPage)
	if in.ScanBy != "" {
		v.Enum("scanBy", in.ScanBy, awswire.EnumValues(in.ScanBy.Values())...)
	}
	if err := v.Err(); err != nil {
		return err
	}
	switch contributors := ofContributors(in.HistoryItemType); {
	case in.AlarmName != nil:
	case in.AlarmContributorId != nil:
		return validationError("AlarmName must be specified when AlarmContributorId is specified.")
	case contributors:
		return validationError("AlarmName must be specified when HistoryItemType is " + string(in.HistoryItemType) + ".")
	}
	return nil
}

func ofContributors(t types.HistoryItemType) bool {
	return t == types.HistoryItemTypeAlarmContributorStateUpdate || t == types.HistoryItemTypeAlarmContributorAction
}

// historyTypes are the types of items that a request asks for. Those of contributors have to be asked for.
func historyTypes(in *cw.DescribeAlarmHistoryInput) []alarmevent.HistoryType {
	switch {
	case in.HistoryItemType != "":
		return []alarmevent.HistoryType{alarmevent.HistoryType(in.HistoryItemType)}
	case in.AlarmContributorId != nil:
		return []alarmevent.HistoryType{alarmevent.HistoryContributorState, alarmevent.HistoryContributorAction}
	}
	return []alarmevent.HistoryType{alarmevent.HistoryConfigurationUpdate, alarmevent.HistoryStateUpdate, alarmevent.HistoryAction}
}

func historyItem(e *journal.Entry) (item types.AlarmHistoryItem, ok bool) {
	var h alarmevent.History
	switch {
	case e.Event != nil:
		if h, ok = alarmevent.HistoryOf(e.Event); !ok {
			return item, false
		}
	case e.Result != nil:
		h = alarmevent.ActionHistory(e.Result)
	default:
		return item, false
	}
	return types.AlarmHistoryItem{
		AlarmName: &e.Alarm, AlarmType: types.AlarmType(e.AlarmType), Timestamp: timestamp(e.Time),
		HistoryItemType: types.HistoryItemType(h.Type), HistorySummary: &h.Summary, HistoryData: &h.Data,
		AlarmContributorId: optional(e.Contributor), AlarmContributorAttributes: e.ContributorAttributes,
	}, true
}
