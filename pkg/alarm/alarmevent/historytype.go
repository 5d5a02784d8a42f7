// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarmevent

import "github.com/nephoscope/nephoscope/pkg/alarm"

// HistoryTypeOf is the type of the item that an event of this kind leaves in history, "" when it leaves none.
func HistoryTypeOf(k alarm.EventKind) HistoryType {
	switch k {
	case alarm.EventCreated, alarm.EventUpdated, alarm.EventDeleted:
		return HistoryConfigurationUpdate
	case alarm.EventStateChanged, alarm.EventRefreshed:
		return HistoryStateUpdate
	case alarm.EventContributorChanged:
		return HistoryContributorState
	}
	return ""
}
