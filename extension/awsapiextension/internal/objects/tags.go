// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"slices"

	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// WithTags returns the tags with more of them; a key that is there gets the new value. More than may be are an error for
// the client.
func WithTags(now, more []awsservice.Tag) ([]awsservice.Tag, error) {
	now = slices.Clone(now)
	for _, t := range more {
		if i := slices.IndexFunc(now, func(o awsservice.Tag) bool { return o.Key == t.Key }); i >= 0 {
			now[i] = t
			continue
		}
		now = append(now, t)
	}
	if len(now) > awsservice.MaxTags {
		return nil, &awswire.Error{
			Code: "InvalidParameterValueException", Message: "The collection Tags must not have a size greater than 50.\n",
		}
	}
	return now, nil
}

// WithoutTags returns the tags but for those with the keys.
func WithoutTags(now []awsservice.Tag, keys []string) []awsservice.Tag {
	return slices.DeleteFunc(slices.Clone(now), func(t awsservice.Tag) bool { return slices.Contains(keys, t.Key) })
}
