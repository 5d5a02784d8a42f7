// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func planOf[T any]() (*plan, error) { return planFor(reflect.TypeFor[T]()) }

func fieldNames(p *plan) []string {
	var out []string
	for _, f := range p.fields {
		out = append(out, f.name)
	}
	return out
}

func TestPlanNames(t *testing.T) {
	pl, err := planOf[cloudwatchlogs.DescribeDestinationsInput]()
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"DestinationNamePrefix", "limit", "nextToken"}, fieldNames(pl))

	pl, err = planOf[cloudtrail.DescribeTrailsInput]()
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"includeShadowTrails", "trailNameList"}, fieldNames(pl))

	pl, err = planOf[cloudtrail.CreateTrailInput]()
	require.NoError(t, err)
	assert.Contains(t, fieldNames(pl), "S3BucketName")
}

func TestPlanRefusesTypesWithoutForm(t *testing.T) {
	_, err := planOf[struct{ Document any }]()
	require.ErrorContains(t, err, "Document: interface {} is not a known union")
	_, err = planOf[struct{ C chan int }]()
	require.ErrorContains(t, err, "C: type chan int has no form on the wire")
}

func TestFindWrapsAround(t *testing.T) {
	pl, err := planOf[struct{ A, B, C *string }]()
	require.NoError(t, err)
	for from := range 4 {
		assert.Equal(t, 0, pl.find([]byte("A"), from))
		assert.Equal(t, 2, pl.find([]byte("C"), from))
		assert.Equal(t, -1, pl.find([]byte("D"), from))
	}
}
