// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboard

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Issue is something that is wrong with a document.
type Issue struct {
	// Path is the JSON pointer of where it is wrong, "" for the document.
	Path    string
	Message string
}

// InvalidError is a body that CloudWatch refuses.
type InvalidError struct {
	// Subject is what is invalid, as the message calls it.
	Subject string
	Issues  []Issue
}

// Error is the message in CloudWatch's words: the issues as indented JSON.
func (e *InvalidError) Error() string {
	dst := []byte(e.Subject + " is invalid, there are " + strconv.Itoa(len(e.Issues)) + " validation errors:\n[\n")
	for i, issue := range e.Issues {
		if i > 0 {
			dst = append(dst, ",\n"...)
		}
		dst = append(dst, "  {\n    \"dataPath\": "...)
		dst = appendString(dst, issue.Path)
		dst = append(dst, ",\n    \"message\": "...)
		dst = appendString(dst, issue.Message)
		dst = append(dst, "\n  }"...)
	}
	return string(append(dst, "\n]"...))
}

// ErrNotObject is the error of a body that is no JSON object.
var ErrNotObject = errors.New("The field DashboardBody must be a valid JSON object") //nolint:staticcheck // CloudWatch's words

// Document is the body of a dashboard that CloudWatch takes.
type Document struct {
	root Value
	// Warnings are what CloudWatch says of the body, though it takes it.
	Warnings []Issue
}

// Parse reads the body of a dashboard. The error is [ErrNotObject], or an [InvalidError] for a body with faults that are
// more than warnings.
func Parse(body string) (*Document, error) {
	root, err := parseJSON(body)
	switch {
	case errors.Is(err, errTooDeep):
		return nil, &InvalidError{Subject: bodySubject, Issues: []Issue{{Message: "Should NOT be " + errTooDeep.Error()}}}
	case err != nil || root.Kind != KindObject:
		return nil, ErrNotObject
	}
	c := checker{}
	c.body(root)
	fatal, warnings := c.sorted()
	if len(fatal) > 0 {
		return nil, &InvalidError{Subject: bodySubject, Issues: fatal}
	}
	return &Document{root: *root, Warnings: warnings}, nil
}

const bodySubject = "The dashboard body"

// Text is the body as CloudWatch keeps it: without white space and needless escapes, the order of members kept.
func (d *Document) Text() string { return string(d.root.appendJSON(nil)) }

// Sizes that CloudWatch adds to a body's own.
const (
	sizeOverhead    = 37
	sizeTagMetadata = 149
	sizeTags        = 8
)

// Size is what ListDashboards reports for a body as it is kept. tagged says that the dashboard has or had tags; tags are
// those that it has.
func Size(text string, tagged bool, tags map[string]string) int64 {
	n := htmlSafeLength([]byte(text)) + sizeOverhead
	if tagged {
		n += sizeTagMetadata
	}
	if len(tags) > 0 {
		object := []byte{'{'}
		for name, value := range tags { // their order does not change the length
			if len(object) > 1 {
				object = append(object, ',')
			}
			object = appendString(object, name)
			object = append(object, ':')
			object = appendString(object, value)
		}
		n += sizeTags + len(object) + 1
	}
	return int64(n)
}

// maxIssues bounds what is reported of one document.
const maxIssues = 1000

type found struct {
	Issue
	fatal bool
	depth int
}

// checker collects issues.
type checker struct {
	found []found
}

func (c *checker) add(path, message string, fatal bool) {
	if len(c.found) >= 2*maxIssues && !fatal || len(c.found) >= 10*maxIssues {
		return
	}
	c.found = append(c.found, found{Issue{path, message}, fatal, strings.Count(path, "/")})
}

func (c *checker) fail(path, message string) { c.add(path, message, true) }
func (c *checker) warn(path, message string) { c.add(path, message, false) }

// sorted returns what was found, those nearest to the root first.
func (c *checker) sorted() (fatal, warnings []Issue) {
	slices.SortStableFunc(c.found, func(a, b found) int { return a.depth - b.depth })
	for _, f := range c.found {
		list := &warnings
		if f.fatal {
			list = &fatal
		}
		if len(*list) < maxIssues {
			*list = append(*list, f.Issue)
		}
	}
	return fatal, warnings
}

// child is the path of a member or, with its index, of an item.
func child(path, name string) string {
	return path + "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
