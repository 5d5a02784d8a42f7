// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import (
	"errors"
	"fmt"
	"strings"
)

// HeaderName is the HTTP header that carries a trace from service to service.
const HeaderName = "X-Amzn-Trace-Id"

// maxHeaderLength bounds a tracing header.
const maxHeaderLength = 4096

// SamplingDecision is what a tracing header says about sampling.
type SamplingDecision byte

// The decisions.
const (
	SamplingUndecided SamplingDecision = 0   // the header says nothing
	SamplingYes       SamplingDecision = '1' // sampled
	SamplingNo        SamplingDecision = '0' // not sampled
	SamplingAsk       SamplingDecision = '?' // the callee decides and says so in its answer
)

// Header is a tracing header: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1.
type Header struct {
	Root     TraceID // zero when absent
	Parent   SpanID  // zero when absent
	Sampling SamplingDecision
	// Others are the keys without a meaning here, in their order: Self of load balancers, Lineage of Lambda,
	// the application's own.
	Others []HeaderField
}

// HeaderField is one key and its value.
type HeaderField struct{ Key, Value string }

// ParseHeader reads a tracing header. Order and blanks around the parts do not matter.
func ParseHeader(s string) (Header, error) {
	var h Header
	if len(s) > maxHeaderLength {
		return h, fmt.Errorf("tracing header of %d bytes, at most %d are read", len(s), maxHeaderLength)
	}
	if strings.TrimSpace(s) == "" {
		return h, errors.New("tracing header is empty")
	}
	for part := range strings.SplitSeq(s, ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return Header{}, fmt.Errorf("tracing header: %q has no \"=\"", clip(part, 64))
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		var err error
		switch key {
		case "Root":
			h.Root, err = ParseTraceID(value)
		case "Parent":
			h.Parent, err = ParseSpanID(value)
		case "Sampled":
			switch value {
			case "0", "1", "?":
				h.Sampling = SamplingDecision(value[0])
			default:
				err = fmt.Errorf("sampling decision is %q, not 0, 1 or ?", clip(value, 64))
			}
		default:
			h.Others = append(h.Others, HeaderField{Key: key, Value: value})
		}
		if err != nil {
			return Header{}, fmt.Errorf("tracing header: %w", err)
		}
	}
	return h, nil
}

// String writes the header the way the SDKs do.
func (h Header) String() string {
	var b strings.Builder
	field := func(key, value string) {
		if b.Len() > 0 {
			b.WriteByte(';')
		}
		b.WriteString(key)
		b.WriteByte('=')
		b.WriteString(value)
	}
	if !h.Root.IsZero() {
		field("Root", h.Root.String())
	}
	if !h.Parent.IsZero() {
		field("Parent", h.Parent.String())
	}
	if h.Sampling != SamplingUndecided {
		field("Sampled", string(rune(h.Sampling)))
	}
	for _, f := range h.Others {
		field(f.Key, f.Value)
	}
	return b.String()
}
