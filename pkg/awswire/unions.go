// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"reflect"

	cloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	xray "github.com/aws/aws-sdk-go-v2/service/xray/types"
)

// unions lists the unions of the services: Go cannot enumerate the types that implement an interface.
var unions = map[reflect.Type][]reflect.Type{
	reflect.TypeFor[cloudwatch.EvaluationCriteria](): {
		reflect.TypeFor[cloudwatch.EvaluationCriteriaMemberPromQLCriteria](),
	},
	reflect.TypeFor[cloudwatch.EvaluationWindow](): {
		reflect.TypeFor[cloudwatch.EvaluationWindowMemberSlidingWindow](),
		reflect.TypeFor[cloudwatch.EvaluationWindowMemberWallClockWindow](),
	},
	reflect.TypeFor[logs.IntegrationDetails](): {
		reflect.TypeFor[logs.IntegrationDetailsMemberOpenSearchIntegrationDetails](),
	},
	reflect.TypeFor[logs.ResourceConfig](): {
		reflect.TypeFor[logs.ResourceConfigMemberOpenSearchResourceConfig](),
	},
	reflect.TypeFor[logs.StartLiveTailResponseStream](): {
		reflect.TypeFor[logs.StartLiveTailResponseStreamMemberSessionStart](),
		reflect.TypeFor[logs.StartLiveTailResponseStreamMemberSessionUpdate](),
	},
	reflect.TypeFor[logs.GetLogObjectResponseStream](): {
		reflect.TypeFor[logs.GetLogObjectResponseStreamMemberFields](),
	},
	reflect.TypeFor[xray.AnnotationValue](): {
		reflect.TypeFor[xray.AnnotationValueMemberBooleanValue](),
		reflect.TypeFor[xray.AnnotationValueMemberNumberValue](),
		reflect.TypeFor[xray.AnnotationValueMemberStringValue](),
	},
	reflect.TypeFor[xray.IndexingRuleValue](): {
		reflect.TypeFor[xray.IndexingRuleValueMemberProbabilistic](),
	},
	reflect.TypeFor[xray.IndexingRuleValueUpdate](): {
		reflect.TypeFor[xray.IndexingRuleValueUpdateMemberProbabilistic](),
	},
}
