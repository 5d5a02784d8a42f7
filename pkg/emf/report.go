// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package emf

import "fmt"

// Reason says what is wrong with a document or a part of it.
type Reason string

// Reasons. Except for ReasonJSON, which is a parsing error, they are validation errors.
const (
	ReasonJSON                Reason = "json"                   // not one JSON object
	ReasonMetadata            Reason = "metadata"               // _aws is not an object
	ReasonDirectives          Reason = "directives"             // CloudWatchMetrics is missing or not an array
	ReasonTimestamp           Reason = "timestamp"              // missing or not whole milliseconds
	ReasonTimestampOutOfRange Reason = "timestamp_out_of_range" // older than two weeks or more than two hours ahead
	ReasonDirective           Reason = "directive"              // not an object, or a member missing or of the wrong type
	ReasonNamespace           Reason = "namespace"              // not a valid namespace, or one of AWS's
	ReasonNoDimensionSet      Reason = "no_dimension_set"       // Dimensions is empty; [[]] stands for no dimensions
	ReasonTooManySets         Reason = "too_many_sets"
	ReasonTooManyMetrics      Reason = "too_many_metrics" // more than 100 in a directive
	ReasonDimensionSet        Reason = "dimension_set"    // not an array of distinct names, or more than 30
	ReasonDimensionMissing    Reason = "dimension_missing"
	ReasonDimensionValue      Reason = "dimension_value" // not a string of 1 to 1024 characters
	ReasonMetricDefinition    Reason = "metric_definition"
	ReasonMetricMissing       Reason = "metric_missing"
	ReasonMetricValue         Reason = "metric_value" // neither a number, nor up to 100 numbers, nor statistics
	ReasonUnit                Reason = "unit"
	ReasonStorageResolution   Reason = "storage_resolution"
	ReasonTooMuchData         Reason = "too_much_data" // one document makes more data than is allowed
)

// Parsing reports whether the reason is a parsing error, which CloudWatch counts in EMFParsingErrors; others
// count in EMFValidationErrors.
func (r Reason) Parsing() bool { return r == ReasonJSON }

// Problem is one kind of error in a document.
type Problem struct {
	Reason Reason
	Count  int64
	// Detail names the first place, such as the dimension or metric. It is at most 100 bytes long.
	Detail string
}

// Report says what was wrong with a document.
type Report struct {
	// Problems has an entry for each reason that occurred; nil when there was none.
	Problems []Problem
}

// ParsingErrors is 1 when the document could not be parsed.
func (r *Report) ParsingErrors() int64 { return r.count(true) }

// ValidationErrors is the number of parts of the document that violate the specification.
func (r *Report) ValidationErrors() int64 { return r.count(false) }

func (r *Report) count(parsing bool) int64 {
	var n int64
	for _, p := range r.Problems {
		if p.Reason.Parsing() == parsing {
			n += p.Count
		}
	}
	return n
}

func (r *Report) add(reason Reason, detail string) {
	for i := range r.Problems {
		if r.Problems[i].Reason == reason {
			r.Problems[i].Count++
			return
		}
	}
	const limit = 100
	if len(detail) > limit {
		detail = detail[:limit]
	}
	r.Problems = append(r.Problems, Problem{Reason: reason, Count: 1, Detail: detail})
}

// Err returns an error that tells the problems, or nil when there is none.
func (r *Report) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	p := r.Problems[0]
	switch {
	case len(r.Problems) > 1:
		return fmt.Errorf("%s: %q (and %d other kinds of error)", p.Reason, p.Detail, len(r.Problems)-1)
	case p.Detail != "":
		return fmt.Errorf("%s: %q", p.Reason, p.Detail)
	}
	return fmt.Errorf("%s", p.Reason)
}
