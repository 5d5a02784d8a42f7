// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import "github.com/nephoscope/nephoscope/pkg/awswire"

// maxRequestBody is the largest body a client can send: PutLogEvents with a batch of 1 MiB in JSON, in which control
// characters take six bytes each, and the names and times around 10,000 events.
const maxRequestBody = 8 << 20

// Wire returns the service's operations.
func (s *Service) Wire() *awswire.Service {
	w := awswire.NewService("logs")
	w.MaxBody = maxRequestBody

	awswire.HandleNoOutput(w, "CreateLogGroup", s.createLogGroup)
	awswire.HandleNoOutput(w, "DeleteLogGroup", s.deleteLogGroup)
	awswire.Handle(w, "DescribeLogGroups", s.describeLogGroups)
	awswire.Handle(w, "ListLogGroups", s.listLogGroups)
	awswire.HandleNoOutput(w, "PutRetentionPolicy", s.putRetentionPolicy)
	awswire.HandleNoOutput(w, "DeleteRetentionPolicy", s.deleteRetentionPolicy)
	awswire.HandleNoOutput(w, "PutLogGroupDeletionProtection", s.putLogGroupDeletionProtection)
	awswire.HandleNoOutput(w, "TagLogGroup", s.tagLogGroup)
	awswire.HandleNoOutput(w, "UntagLogGroup", s.untagLogGroup)
	awswire.Handle(w, "ListTagsLogGroup", s.listTagsLogGroup)
	awswire.HandleNoOutput(w, "TagResource", s.tagResource)
	awswire.HandleNoOutput(w, "UntagResource", s.untagResource)
	awswire.Handle(w, "ListTagsForResource", s.listTagsForResource)

	awswire.HandleNoOutput(w, "CreateLogStream", s.createLogStream)
	awswire.HandleNoOutput(w, "DeleteLogStream", s.deleteLogStream)
	awswire.Handle(w, "DescribeLogStreams", s.describeLogStreams)

	awswire.Handle(w, "PutLogEvents", s.putLogEvents)
	awswire.Handle(w, "GetLogEvents", s.getLogEvents)
	awswire.Handle(w, "FilterLogEvents", s.filterLogEvents)

	awswire.Handle(w, "TestMetricFilter", s.testMetricFilter)
	awswire.HandleStream(w, "StartLiveTail", s.startLiveTail)

	awswire.Handle(w, "StartQuery", s.startQuery)
	awswire.Handle(w, "GetQueryResults", s.getQueryResults)
	awswire.Handle(w, "StopQuery", s.stopQuery)
	awswire.Handle(w, "DescribeQueries", s.describeQueries)
	awswire.Handle(w, "ListLogGroupsForQuery", s.listLogGroupsForQuery)
	awswire.Handle(w, "GetLogRecord", s.getLogRecord)
	awswire.Handle(w, "GetLogGroupFields", s.getLogGroupFields)

	awswire.Handle(w, "PutQueryDefinition", s.putQueryDefinition)
	awswire.Handle(w, "DeleteQueryDefinition", s.deleteQueryDefinition)
	awswire.Handle(w, "DescribeQueryDefinitions", s.describeQueryDefinitions)
	return w
}
