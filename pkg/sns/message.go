// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"encoding/json"
	"maps"
	"strings"
)

// MaxMessageSize is the greatest size of a message with its attributes, and of a batch, in bytes.
const MaxMessageSize = 256 << 10

// maxSubject is the greatest length of a subject.
const maxSubject = 100

// Message is what is published.
type Message struct {
	// Subject is nil when there is none.
	Subject *string
	// Text is what was given; with MessageStructure json, a JSON object.
	Text       string
	Attributes Attributes

	// structured is the object's members, nil without MessageStructure.
	structured map[string]string
}

// NewMessage checks a message to be published. structure is MessageStructure.
func NewMessage(text string, subject *string, structure string, attributes Attributes) (*Message, error) {
	m := &Message{Subject: subject, Text: text, Attributes: attributes}
	if text == "" {
		return nil, Invalid("Empty message")
	}
	if err := attributes.Check(); err != nil {
		return nil, err
	}
	if len(text)+attributes.Size() > MaxMessageSize {
		return nil, Invalid("Message too long")
	}
	if subject != nil && !validSubject(*subject) {
		return nil, Invalid("Subject")
	}
	switch structure {
	case "":
	case "json":
		if err := m.parseStructure(); err != nil {
			return nil, err
		}
	default:
		return nil, Invalid("MessageStructure")
	}
	return m, nil
}

// Structured returns a message whose text differs by protocol; text has the key default.
func Structured(text map[string]string, subject *string) *Message {
	return &Message{Subject: subject, Text: text["default"], structured: maps.Clone(text)}
}

func (m *Message) parseStructure() error {
	var members map[string]any
	if err := json.Unmarshal([]byte(m.Text), &members); err != nil {
		return Invalid("Message Structure - JSON message body failed to parse")
	}
	m.structured = make(map[string]string, len(members))
	for protocol, v := range members {
		if text, ok := v.(string); ok { // AWS ignores members that are no strings
			m.structured[protocol] = text
		}
	}
	if _, ok := m.structured["default"]; !ok {
		return Invalid("Message Structure - No default entry in JSON message body")
	}
	return nil
}

// For is the text for a protocol.
func (m *Message) For(protocol string) string {
	if m.structured == nil {
		return m.Text
	}
	if text, ok := m.structured[protocol]; ok {
		return text
	}
	return m.structured["default"]
}

// Size is what the message counts towards the limit of a batch.
func (m *Message) Size() int { return len(m.Text) + m.Attributes.Size() }

// validSubject is whether s is ASCII text of one line that begins with a letter, number or punctuation mark.
func validSubject(s string) bool {
	if s == "" || len(s) > maxSubject || s[0] == ' ' {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}
