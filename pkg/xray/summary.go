// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
)

// Summary is a trace as GetTraceSummaries describes it.
type Summary = types.TraceSummary

// Bounds on what a summary lists.
const (
	maxSummaryAnnotations = 1000 // distinct pairs of key and value
	maxSummaryServices    = 1000
)

// Summarize describes a trace. ResponseTimeRootCauses stays empty: how the service finds them is not published.
// MatchedEventTime is the caller's, who knows what was asked.
func Summarize(t Trace) Summary {
	s := summarizer{t: &t, out: Summary{
		Id:        aws.String(t.ID.String()),
		Duration:  aws.Float64(secondsBetween(t.Start, t.End)),
		StartTime: aws.Time(time.Unix(0, t.Start).UTC()),
		HasError:  aws.Bool(false), HasFault: aws.Bool(false), HasThrottle: aws.Bool(false), IsPartial: aws.Bool(false),
		Revision: int32(min(t.Documents, 1<<31-1)),
	}}
	for i := range t.Segments {
		s.segment(&t.Segments[i])
	}
	if t.Root >= 0 {
		s.entry(&t.Segments[t.Root])
	}
	s.rootCauses()
	return s.out
}

type summarizer struct {
	t           *Trace
	out         Summary
	annotations int
}

func (s *summarizer) entry(ts *TraceSegment) {
	root := ts.Segment
	s.out.HasFault = aws.Bool(root.Fault)
	s.out.HasError = aws.Bool(root.Error)
	if root.End != 0 {
		s.out.ResponseTime = aws.Float64(secondsBetween(root.Start, root.End))
	}
	id := s.serviceID(ts)
	s.out.EntryPoint = &id
	h := root.HTTP
	s.out.Http = &types.Http{}
	if h.IsZero() {
		return
	}
	s.out.Http = &types.Http{
		HttpURL: optional(h.URL), HttpMethod: optional(h.Method), UserAgent: optional(h.UserAgent), ClientIp: optional(h.ClientIP),
	}
	if h.Status != 0 {
		s.out.Http.HttpStatus = aws.Int32(h.Status)
	}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (s *summarizer) segment(ts *TraceSegment) {
	seg := ts.Segment
	if seg.Throttle {
		s.out.HasThrottle = aws.Bool(true)
	}
	if seg.InProgress {
		s.out.IsPartial = aws.Bool(true)
	}
	id := s.serviceID(ts)
	known := seg.Subsegment // whose service it is its segment would say
	if !known {
		s.out.ServiceIds = addService(s.out.ServiceIds, id)
	}
	if seg.User != "" {
		s.user(seg.User, id)
	}
	if seg.ResourceARN != "" && !slices.ContainsFunc(s.out.ResourceARNs, func(x types.ResourceARNDetail) bool { return *x.ARN == seg.ResourceARN }) {
		s.out.ResourceARNs = append(s.out.ResourceARNs, types.ResourceARNDetail{ARN: aws.String(seg.ResourceARN)})
	}
	if !seg.Inferred {
		if i := seg.AWS.InstanceID; i != "" && !slices.ContainsFunc(s.out.InstanceIds, func(x types.InstanceIdDetail) bool { return *x.Id == i }) {
			s.out.InstanceIds = append(s.out.InstanceIds, types.InstanceIdDetail{Id: aws.String(i)})
		}
		for _, zone := range seg.AWS.AvailabilityZones {
			if !slices.ContainsFunc(s.out.AvailabilityZones, func(x types.AvailabilityZoneDetail) bool { return *x.Name == zone }) {
				s.out.AvailabilityZones = append(s.out.AvailabilityZones, types.AvailabilityZoneDetail{Name: aws.String(zone)})
			}
		}
	}
	s.annotate(seg, id)
}

func (s *summarizer) user(name string, id types.ServiceId) {
	for i := range s.out.Users {
		if *s.out.Users[i].UserName == name {
			s.out.Users[i].ServiceIds = addService(s.out.Users[i].ServiceIds, id)
			return
		}
	}
	s.out.Users = append(s.out.Users, types.TraceUser{UserName: aws.String(name), ServiceIds: []types.ServiceId{id}})
}

// annotate adds the annotations of a segment and of the subsegments in it, as its service's.
func (s *summarizer) annotate(seg *Segment, id types.ServiceId) {
	for _, a := range seg.Annotations {
		s.annotation(a, id)
	}
	for _, sub := range seg.Subsegments {
		s.annotate(sub, id)
	}
}

func (s *summarizer) annotation(a Annotation, id types.ServiceId) {
	if s.out.Annotations == nil {
		s.out.Annotations = make(map[string][]types.ValueWithServiceIds)
	}
	values := s.out.Annotations[a.Key]
	for i := range values {
		if annotationEqual(values[i].AnnotationValue, a.Value) {
			values[i].ServiceIds = addService(values[i].ServiceIds, id)
			return
		}
	}
	if s.annotations == maxSummaryAnnotations {
		return
	}
	s.annotations++
	v := types.ValueWithServiceIds{ServiceIds: []types.ServiceId{id}}
	switch x := a.Value.(type) {
	case string:
		v.AnnotationValue = &types.AnnotationValueMemberStringValue{Value: x}
	case float64:
		v.AnnotationValue = &types.AnnotationValueMemberNumberValue{Value: x}
	case bool:
		v.AnnotationValue = &types.AnnotationValueMemberBooleanValue{Value: x}
	}
	s.out.Annotations[a.Key] = append(values, v)
}

func annotationEqual(v types.AnnotationValue, x any) bool {
	switch v := v.(type) {
	case *types.AnnotationValueMemberStringValue:
		return v.Value == x
	case *types.AnnotationValueMemberNumberValue:
		return v.Value == x
	case *types.AnnotationValueMemberBooleanValue:
		return v.Value == x
	}
	return false
}

// serviceID is the node of the service graph that a segment belongs to.
func (s *summarizer) serviceID(ts *TraceSegment) types.ServiceId {
	seg := ts.Segment
	name, typ, account := seg.Name, seg.Origin, seg.AWS.AccountID
	if account == "" {
		account = ts.Account
	}
	if seg.Inferred {
		if typ == "" {
			typ, account = "remote", ""
		} else {
			name = resourceName(seg)
		}
	}
	return types.ServiceId{Name: aws.String(name), Names: []string{name}, AccountId: optional(account), Type: optional(typ)}
}

// resourceName is the resource that an AWS call was about, when it is known, else the service.
func resourceName(seg *Segment) string {
	switch seg.Origin {
	case "AWS::DynamoDB::Table":
		return seg.AWS.TableName
	case "AWS::S3::Bucket":
		return seg.AWS.BucketName
	case "AWS::SQS::Queue":
		if i := strings.LastIndexByte(seg.AWS.QueueURL, '/'); i >= 0 && i+1 < len(seg.AWS.QueueURL) {
			return seg.AWS.QueueURL[i+1:]
		}
	}
	return seg.Name
}

func addService(list []types.ServiceId, id types.ServiceId) []types.ServiceId {
	if len(list) >= maxSummaryServices || slices.ContainsFunc(list, func(x types.ServiceId) bool { return sameService(x, id) }) {
		return list
	}
	return append(list, id)
}

func sameService(a, b types.ServiceId) bool {
	return aws.ToString(a.Name) == aws.ToString(b.Name) && aws.ToString(a.Type) == aws.ToString(b.Type) &&
		aws.ToString(a.AccountId) == aws.ToString(b.AccountId)
}
