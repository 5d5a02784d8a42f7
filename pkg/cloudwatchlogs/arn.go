// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatchlogs

import "strings"

// GroupARN is the ARN of a log group as logGroupArn and the tag operations have it, without ":*".
func GroupARN(region, account, group string) string {
	return "arn:" + partition(region) + ":logs:" + region + ":" + account + ":log-group:" + group
}

// GroupPolicyARN is the ARN of a log group as the member arn and IAM policies have it, with ":*".
func GroupPolicyARN(region, account, group string) string {
	return GroupARN(region, account, group) + ":*"
}

// StreamARN is the ARN of a log stream.
func StreamARN(region, account, group, stream string) string {
	return GroupARN(region, account, group) + ":log-stream:" + stream
}

// partition is the first part of ARNs of the region.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// GroupRef is a log group that an ARN names.
type GroupRef struct {
	Account, Region, Group string
}

// ParseGroupARN reads a log group's ARN, which may not end in ":*".
func ParseGroupARN(arn string) (GroupRef, bool) {
	// arn:partition:logs:region:account:log-group:name
	parts := strings.SplitN(arn, ":", 7)
	if len(parts) != 7 || parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") || parts[2] != "logs" ||
		parts[3] == "" || parts[4] == "" || parts[5] != "log-group" || !ValidGroupName(parts[6]) {
		return GroupRef{}, false
	}
	return GroupRef{Region: parts[3], Account: parts[4], Group: parts[6]}, true
}
