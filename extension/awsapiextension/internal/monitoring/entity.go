// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Limits of an entity.
const (
	minKeyAttributes    = 2
	maxKeyAttributes    = 4
	maxEntityAttributes = 10
)

// entityFailureHeader says that data were kept without their entity.
const entityFailureHeader = "X-Amzn-Failure-Message"

var (
	keyAttributes = []string{"Type", "ResourceType", "Identifier", "Name", "Environment"}
	// requiredOfType are the key attributes that each type of entity needs.
	requiredOfType = map[string][]string{
		"Service": {"Name"}, "RemoteService": {"Name"}, "AWS::Service": {"Name"},
		"Resource": {"ResourceType", "Identifier"}, "AWS::Resource": {"ResourceType", "Identifier"},
	}
)

// entityFailure is why the entities are not kept, in CloudWatch's words; "" when there are none. One that has no fault is
// an InvalidEntity: no entities are kept here.
func entityFailure(list []types.EntityMetricData) string {
	if len(list) > maxEntityData {
		return "EntitySizeTooLarge"
	}
	for i := range list {
		if e := list[i].Entity; e != nil {
			return entityFault(e)
		}
	}
	return ""
}

func entityFault(e *types.Entity) string {
	if len(e.KeyAttributes) < minKeyAttributes || len(e.KeyAttributes) > maxKeyAttributes {
		return "InvalidKeyAttributes"
	}
	for name, value := range e.KeyAttributes {
		if !slices.Contains(keyAttributes, name) || value == "" {
			return "InvalidKeyAttributes"
		}
	}
	required, known := requiredOfType[e.KeyAttributes["Type"]]
	if !known {
		return "InvalidTypeValue"
	}
	for _, name := range required {
		if e.KeyAttributes[name] == "" {
			return "MissingRequiredFields"
		}
	}
	if len(e.Attributes) > maxEntityAttributes {
		return "InvalidAttributes"
	}
	return "InvalidEntity"
}
