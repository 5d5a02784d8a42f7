// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"strings"
)

// FIFOSuffix is the end of the names of FIFO topics.
const FIFOSuffix = ".fifo"

// maxTopicName is the greatest length of a topic's name.
const maxTopicName = 256

// TopicARN are the parts of a topic's ARN.
type TopicARN struct {
	Partition, Region, Account, Name string
}

func (a TopicARN) String() string {
	return "arn:" + a.Partition + ":sns:" + a.Region + ":" + a.Account + ":" + a.Name
}

// FIFO is whether the topic is a FIFO topic.
func (a TopicARN) FIFO() bool { return strings.HasSuffix(a.Name, FIFOSuffix) }

// Partition is the partition of AWS that a region is in.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// ParseTopicARN reads a topic's ARN. member is the parameter that errors name: TopicArn, TargetArn.
func ParseTopicARN(member, arn string) (TopicARN, error) {
	parts, err := splitARN(member, arn)
	if err != nil {
		return TopicARN{}, err
	}
	if len(parts) != 6 || !ValidTopicName(parts[5]) {
		return TopicARN{}, Invalid("%s", member)
	}
	return TopicARN{Partition: parts[1], Region: parts[3], Account: parts[4], Name: parts[5]}, nil
}

// ParseSubscriptionARN reads a subscription's ARN: the topic's, and an id.
func ParseSubscriptionARN(member, arn string) (topic TopicARN, id string, err error) {
	parts, err := splitARN(member, arn)
	if err != nil {
		return TopicARN{}, "", err
	}
	if len(parts) != 7 || !ValidTopicName(parts[5]) || parts[6] == "" {
		return TopicARN{}, "", Invalid("%s Reason: An ARN must have at least 6 elements, not %d", member, len(parts))
	}
	return TopicARN{Partition: parts[1], Region: parts[3], Account: parts[4], Name: parts[5]}, parts[6], nil
}

// maxARN bounds what is looked at.
const maxARN = 2048

func splitARN(member, arn string) ([]string, error) {
	if arn == "" {
		return nil, Invalid("%s Reason: no value for required parameter", member)
	}
	if len(arn) > maxARN {
		return nil, Invalid("%s", member)
	}
	parts := strings.Split(arn, ":")
	if len(parts) < 6 {
		return nil, Invalid("%s Reason: An ARN must have at least 6 elements, not %d", member, len(parts))
	}
	if parts[0] != "arn" || parts[1] == "" || parts[2] != "sns" || parts[3] == "" || parts[4] == "" {
		return nil, Invalid("%s", member)
	}
	return parts, nil
}

// ValidTopicName is whether a topic may have the name.
func ValidTopicName(name string) bool {
	base := strings.TrimSuffix(name, FIFOSuffix)
	if base == "" || len(name) > maxTopicName {
		return false
	}
	for i := range len(base) {
		if !isNameByte(base[i]) {
			return false
		}
	}
	return true
}

// CheckTopicName checks the name of a new topic.
func CheckTopicName(name string, fifo bool) error {
	switch {
	case fifo && (!strings.HasSuffix(name, FIFOSuffix) || !ValidTopicName(name)):
		return Invalid("Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, " +
			"numbers, underscores, and hyphens, and must be between 1 and 256 characters long.")
	case !fifo && (strings.HasSuffix(name, FIFOSuffix) || !ValidTopicName(name)):
		return Invalid("Topic Name")
	}
	return nil
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}
