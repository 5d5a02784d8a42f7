// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// NewMetric returns the identity with the dimensions in canonical order. It sorts a copy, and refuses a dimension
// name that occurs twice with [ErrDuplicateDimension].
func NewMetric(namespace, name string, dims []Dimension) (Metric, error) {
	dims = slices.Clone(dims)
	SortDimensions(dims)
	if HasDuplicateDimension(dims) {
		return Metric{}, ErrDuplicateDimension
	}
	return Metric{Namespace: namespace, Name: name, Dimensions: dims}, nil
}

// ErrDuplicateDimension is returned for dimensions in which a name occurs twice.
var ErrDuplicateDimension = errors.New("no metric may specify the same dimension name twice")

// SortDimensions puts dimensions in canonical order, in place: by name, bytewise.
func SortDimensions(dims []Dimension) {
	if len(dims) < 2 {
		return
	}
	// Most publishers write their dimensions in the same order every time, and it is often the sorted one.
	for i := 1; i < len(dims); i++ {
		if dims[i-1].Name > dims[i].Name {
			slices.SortStableFunc(dims, func(a, b Dimension) int { return strings.Compare(a.Name, b.Name) })
			return
		}
	}
}

// HasDuplicateDimension reports whether a name occurs twice in sorted dimensions.
func HasDuplicateDimension(dims []Dimension) bool {
	for i := 1; i < len(dims); i++ {
		if dims[i-1].Name == dims[i].Name {
			return true
		}
	}
	return false
}

// CompareMetrics orders identities by namespace, name and then dimensions, one pair after the other. It is the
// order in which metrics are listed.
func CompareMetrics(a, b *Metric) int {
	if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
		return c
	}
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	for i := range min(len(a.Dimensions), len(b.Dimensions)) {
		if c := strings.Compare(a.Dimensions[i].Name, b.Dimensions[i].Name); c != 0 {
			return c
		}
		if c := strings.Compare(a.Dimensions[i].Value, b.Dimensions[i].Value); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a.Dimensions), len(b.Dimensions))
}

// Every string of a key ends with keyEnd. A NUL byte inside a string is written as keyNUL, so that keys are
// unambiguous for every string and sort bytewise as CompareMetrics does.
const (
	keyEnd = "\x00\x01"
	keyNUL = "\x00\xff"
)

// AppendKey appends the canonical key of the identity. Two metrics have the same key if and only if they are the
// same metric, and keys sort bytewise in the order of [CompareMetrics].
func (m *Metric) AppendKey(dst []byte) []byte {
	dst = appendKeyString(dst, m.Namespace)
	dst = appendKeyString(dst, m.Name)
	return AppendDimensionsKey(dst, m.Dimensions)
}

// AppendDimensionsKey appends the part of the key that [Metric.AppendKey] writes for sorted dimensions.
func AppendDimensionsKey(dst []byte, dims []Dimension) []byte {
	for i := range dims {
		dst = appendKeyString(dst, dims[i].Name)
		dst = appendKeyString(dst, dims[i].Value)
	}
	return dst
}

func appendKeyString(dst []byte, s string) []byte {
	for {
		i := strings.IndexByte(s, 0)
		if i < 0 {
			dst = append(dst, s...)
			return append(dst, keyEnd...)
		}
		dst = append(dst, s[:i]...)
		dst = append(dst, keyNUL...)
		s = s[i+1:]
	}
}

var errBadKey = errors.New("not a metric key")

// ParseKey reads what [Metric.AppendKey] wrote.
func ParseKey(key []byte) (Metric, error) {
	var m Metric
	var err error
	s := string(key)
	if m.Namespace, s, err = cutKeyString(s); err != nil {
		return Metric{}, err
	}
	if m.Name, s, err = cutKeyString(s); err != nil {
		return Metric{}, err
	}
	if s != "" {
		m.Dimensions = make([]Dimension, 0, strings.Count(s, keyEnd)/2)
	}
	for s != "" {
		var d Dimension
		if d.Name, s, err = cutKeyString(s); err != nil {
			return Metric{}, err
		}
		if d.Value, s, err = cutKeyString(s); err != nil {
			return Metric{}, err
		}
		if n := len(m.Dimensions); n > 0 && m.Dimensions[n-1].Name >= d.Name {
			return Metric{}, errBadKey
		}
		m.Dimensions = append(m.Dimensions, d)
	}
	return m, nil
}

func cutKeyString(s string) (str, rest string, err error) {
	escaped := false
	for i := 0; ; {
		j := strings.IndexByte(s[i:], 0)
		if j < 0 || i+j+1 >= len(s) {
			return "", "", errBadKey
		}
		i += j
		switch s[i+1] {
		case keyEnd[1]:
			str = s[:i]
			if escaped {
				str = strings.ReplaceAll(str, keyNUL, "\x00")
			}
			return str, s[i+2:], nil
		case keyNUL[1]:
			escaped = true
			i += 2
		default:
			return "", "", errBadKey
		}
	}
}
