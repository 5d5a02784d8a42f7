// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
)

// Bounds on the root causes of one trace.
const (
	maxRootCauses      = 16
	maxRootCauseDepth  = 256
	maxCauseExceptions = 16
)

// rootCauses finds the paths from the entry to each deepest segment or subsegment that has a fault, and to each
// that has an error.
func (s *summarizer) rootCauses() {
	if s.t.Root < 0 {
		return
	}
	w := causeWalk{s: s, downstream: make(map[SpanID][]*TraceSegment), visited: make(map[*Segment]bool)}
	for i := range s.t.Segments {
		ts := &s.t.Segments[i]
		if !ts.Segment.Subsegment && !ts.Segment.ParentID.IsZero() {
			w.downstream[ts.Segment.ParentID] = append(w.downstream[ts.Segment.ParentID], ts)
		}
	}
	root := &s.t.Segments[s.t.Root]
	w.bad = func(x *Segment) bool { return x.Fault }
	w.walk(root, root.Segment, nil)
	for _, path := range w.found {
		s.out.FaultRootCauses = append(s.out.FaultRootCauses, types.FaultRootCause{
			ClientImpacting: aws.Bool(root.Segment.Fault), Services: faultServices(s, path),
		})
	}
	w.found = nil
	clear(w.visited)
	w.bad = func(x *Segment) bool { return x.Error }
	w.walk(root, root.Segment, nil)
	for _, path := range w.found {
		s.out.ErrorRootCauses = append(s.out.ErrorRootCauses, types.ErrorRootCause{
			ClientImpacting: aws.Bool(root.Segment.Error), Services: errorServices(s, path),
		})
	}
}

// step is one entity on the way, and the document it is in.
type step struct {
	in     *TraceSegment
	entity *Segment
}

type causeWalk struct {
	s          *summarizer
	downstream map[SpanID][]*TraceSegment
	visited    map[*Segment]bool // parents may go in a circle
	bad        func(*Segment) bool
	found      [][]step
}

// walk goes into an entity and says whether something bad was found in it.
func (w *causeWalk) walk(in *TraceSegment, x *Segment, path []step) bool {
	if w.visited[x] || len(path) >= maxRootCauseDepth {
		return false
	}
	w.visited[x] = true
	path = append(path, step{in: in, entity: x})
	found := false
	for _, sub := range x.Subsegments {
		found = w.walk(in, sub, path) || found
	}
	for _, next := range w.downstream[x.ID] {
		found = w.walk(next, next.Segment, path) || found
	}
	if found || !w.bad(x) {
		return found
	}
	if len(w.found) < maxRootCauses {
		w.found = append(w.found, append([]step(nil), path...))
	}
	return true
}

// exceptions are those of an entity; a cause that is an id names one elsewhere in the same document.
func exceptions(st step) []types.RootCauseException {
	list := st.entity.Exceptions
	if len(list) == 0 && st.entity.Cause != "" {
		if e := findException(st.in.Segment, st.entity.Cause); e != nil {
			list = []Exception{*e}
		}
	}
	var out []types.RootCauseException
	for i, e := range list {
		if i == maxCauseExceptions {
			break
		}
		out = append(out, types.RootCauseException{Name: optional(e.Type), Message: optional(e.Message)})
	}
	return out
}

func findException(s *Segment, id string) *Exception {
	for i := range s.Exceptions {
		if s.Exceptions[i].ID == id {
			return &s.Exceptions[i]
		}
	}
	for _, sub := range s.Subsegments {
		if e := findException(sub, id); e != nil {
			return e
		}
	}
	return nil
}

func remote(x *Segment) *bool { return aws.Bool(x.Namespace != "") }

func faultServices(s *summarizer, path []step) []types.FaultRootCauseService {
	var out []types.FaultRootCauseService
	for i, st := range path {
		if i == 0 || path[i-1].in != st.in {
			id := s.serviceID(st.in)
			out = append(out, types.FaultRootCauseService{
				Name: id.Name, Names: id.Names, Type: id.Type, AccountId: id.AccountId, Inferred: aws.Bool(st.in.Segment.Inferred),
			})
		}
		last := &out[len(out)-1]
		last.EntityPath = append(last.EntityPath, types.FaultRootCauseEntity{
			Name: aws.String(st.entity.Name), Exceptions: exceptions(st), Remote: remote(st.entity),
		})
	}
	return out
}

func errorServices(s *summarizer, path []step) []types.ErrorRootCauseService {
	var out []types.ErrorRootCauseService
	for i, st := range path {
		if i == 0 || path[i-1].in != st.in {
			id := s.serviceID(st.in)
			out = append(out, types.ErrorRootCauseService{
				Name: id.Name, Names: id.Names, Type: id.Type, AccountId: id.AccountId, Inferred: aws.Bool(st.in.Segment.Inferred),
			})
		}
		last := &out[len(out)-1]
		last.EntityPath = append(last.EntityPath, types.ErrorRootCauseEntity{
			Name: aws.String(st.entity.Name), Exceptions: exceptions(st), Remote: remote(st.entity),
		})
	}
	return out
}
