// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsservice

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// Limits of CloudWatch's tags.
const (
	MaxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
	maxTagARN   = 1024
)

// HandleMonitoringTags adds TagResource, UntagResource and ListTagsForResource to the service "monitoring", over the
// resources of owners. Called again, it replaces what it added: who knows more owners calls it last.
func HandleMonitoringTags(s *awswire.Service, owners ...TagOwner) {
	t := tagOperations{owners: owners}
	awswire.Handle(s, "TagResource", t.tag)
	awswire.Handle(s, "UntagResource", t.untag)
	awswire.Handle(s, "ListTagsForResource", t.list)
}

type tagOperations struct {
	owners []TagOwner
}

// each asks one owner after the other, until one has the resource.
func (t tagOperations) each(ask func(TagOwner) error) error {
	for _, o := range t.owners {
		if err := ask(o); !errors.Is(err, ErrNotTagged) {
			return err
		}
	}
	return &awswire.Error{Code: "ResourceNotFoundException", Status: http.StatusNotFound}
}

func (t tagOperations) tag(ctx context.Context, in *cw.TagResourceInput) (*cw.TagResourceOutput, error) {
	var v awswire.Validation
	checkTagARN(&v, in.ResourceARN)
	v.Required("tags", in.Tags)
	CheckTags(&v, "tags", in.Tags)
	if err := v.Err(); err != nil {
		return nil, err
	}
	tags, err := TagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	err = t.each(func(o TagOwner) error { return o.AddTags(ctx, *in.ResourceARN, tags) })
	if err != nil {
		return nil, err
	}
	return &cw.TagResourceOutput{}, nil
}

func (t tagOperations) untag(ctx context.Context, in *cw.UntagResourceInput) (*cw.UntagResourceOutput, error) {
	var v awswire.Validation
	checkTagARN(&v, in.ResourceARN)
	v.Required("tagKeys", in.TagKeys)
	for i, k := range in.TagKeys {
		v.Length(awswire.Element("tagKeys", i), k, 1, maxTagKey)
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	err := t.each(func(o TagOwner) error { return o.RemoveTags(ctx, *in.ResourceARN, in.TagKeys) })
	if err != nil {
		return nil, err
	}
	return &cw.UntagResourceOutput{}, nil
}

func (t tagOperations) list(ctx context.Context, in *cw.ListTagsForResourceInput) (*cw.ListTagsForResourceOutput, error) {
	var v awswire.Validation
	checkTagARN(&v, in.ResourceARN)
	if err := v.Err(); err != nil {
		return nil, err
	}
	out := &cw.ListTagsForResourceOutput{Tags: []types.Tag{}}
	err := t.each(func(o TagOwner) error {
		tags, err := o.ListTags(ctx, *in.ResourceARN)
		for _, tag := range tags {
			out.Tags = append(out.Tags, types.Tag{Key: &tag.Key, Value: &tag.Value})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func checkTagARN(v *awswire.Validation, arn *string) {
	v.Required("resourceARN", arn)
	v.Length("resourceARN", arn, 1, maxTagARN)
}

// CheckTags checks the constraints of the model on a list of tags.
func CheckTags(v *awswire.Validation, path string, tags []types.Tag) {
	for i, tag := range tags {
		member := awswire.Element(path, i)
		v.Required(member+".key", tag.Key)
		v.Length(member+".key", tag.Key, 1, maxTagKey)
		v.Required(member+".value", tag.Value)
		v.Length(member+".value", tag.Value, 0, maxTagValue)
	}
}

// TagsOf returns checked tags, of equal keys the last one. Keys that AWS keeps to itself are refused.
func TagsOf(in []types.Tag) ([]Tag, error) {
	tags := make([]Tag, 0, len(in))
	for _, tag := range in {
		if reservedKey(*tag.Key) {
			return nil, &awswire.Error{
				Code: "AccessDeniedException", Status: http.StatusForbidden,
				Message: `The provided tag keys must not start with any case of "aws:"`,
			}
		}
		added := Tag{*tag.Key, *tag.Value}
		if i := slices.IndexFunc(tags, func(t Tag) bool { return t.Key == added.Key }); i >= 0 {
			tags[i] = added
			continue
		}
		tags = append(tags, added)
	}
	return tags, nil
}

func reservedKey(key string) bool {
	const prefix = "aws:"
	return len(key) >= len(prefix) && utf8.ValidString(key) && strings.EqualFold(key[:len(prefix)], prefix)
}
