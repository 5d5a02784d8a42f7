// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"strings"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// ARN is the Amazon Resource Name of the alarm with this name.
func ARN(t cloudwatch.Tenant, name string) string {
	return "arn:" + partition(t.Region) + ":cloudwatch:" + t.Region + ":" + t.Account + ":alarm:" + name
}

// ParseARN reads the ARN of an alarm. A name may hold colons. ok is false for what is none.
func ParseARN(arn string) (t cloudwatch.Tenant, name string, ok bool) {
	parts := strings.SplitN(arn, ":", 7)
	if len(parts) < 7 || parts[0] != "arn" || parts[2] != "cloudwatch" || parts[5] != "alarm" || parts[6] == "" ||
		parts[1] != partition(parts[3]) {
		return t, "", false
	}
	return cloudwatch.Tenant{Account: parts[4], Region: parts[3]}, parts[6], true
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
