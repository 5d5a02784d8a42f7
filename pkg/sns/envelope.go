// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// Type says what a document that is posted to a subscriber is.
type Type string

// The types.
const (
	Notification             Type = "Notification"
	SubscriptionConfirmation Type = "SubscriptionConfirmation"
	UnsubscribeConfirmation  Type = "UnsubscribeConfirmation"
)

// Envelope is the document that is posted to a subscriber.
type Envelope struct {
	Type      Type
	MessageID string
	TopicARN  string
	// Subject is nil when the message has none.
	Subject *string
	Message string
	// Timestamp is as it is written: 2026-01-02T03:04:05.678Z.
	Timestamp        string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
	// UnsubscribeURL is in notifications only, Token and SubscribeURL in the others only.
	UnsubscribeURL string
	Token          string
	SubscribeURL   string
	Attributes     Attributes
}

// FormatTime is a time as SNS writes it.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// StringToSign is the text that is signed: names and values, each followed by a line feed.
func (e *Envelope) StringToSign() string {
	var b strings.Builder
	put := func(name, value string) {
		b.WriteString(name)
		b.WriteByte('\n')
		b.WriteString(value)
		b.WriteByte('\n')
	}
	put("Message", e.Message)
	put("MessageId", e.MessageID)
	if e.Type == Notification {
		if e.Subject != nil {
			put("Subject", *e.Subject)
		}
		put("Timestamp", e.Timestamp)
	} else {
		put("SubscribeURL", e.SubscribeURL)
		put("Timestamp", e.Timestamp)
		put("Token", e.Token)
	}
	put("TopicArn", e.TopicARN)
	put("Type", string(e.Type))
	return b.String()
}

// JSON is the document as SNS writes it: members in its order, a line each.
func (e *Envelope) JSON() []byte {
	w := memberWriter{}
	w.text("Type", string(e.Type))
	w.text("MessageId", e.MessageID)
	if e.Type != Notification {
		w.text("Token", e.Token)
	}
	w.text("TopicArn", e.TopicARN)
	if e.Subject != nil && e.Type == Notification {
		w.text("Subject", *e.Subject)
	}
	w.text("Message", e.Message)
	if e.Type != Notification {
		w.text("SubscribeURL", e.SubscribeURL)
	}
	w.text("Timestamp", e.Timestamp)
	w.text("SignatureVersion", e.SignatureVersion)
	w.text("Signature", e.Signature)
	w.text("SigningCertURL", e.SigningCertURL)
	if e.Type == Notification {
		w.text("UnsubscribeURL", e.UnsubscribeURL)
		if len(e.Attributes) > 0 {
			w.attributes(e.Attributes)
		}
	}
	return w.end()
}

// memberWriter writes a JSON object.
type memberWriter struct {
	buf bytes.Buffer
}

func (w *memberWriter) name(name string) {
	if w.buf.Len() == 0 {
		w.buf.WriteString("{\n")
	} else {
		w.buf.WriteString(",\n")
	}
	w.buf.WriteString(`  "` + name + `" : `)
}

func (w *memberWriter) text(name, value string) {
	w.name(name)
	w.quote(value)
}

// quote writes a string. Nothing but what JSON demands is escaped.
func (w *memberWriter) quote(s string) {
	enc := json.NewEncoder(&w.buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes, into memory
	w.buf.Truncate(w.buf.Len() - 1)
}

func (w *memberWriter) attributes(list Attributes) {
	w.name("MessageAttributes")
	for i, name := range slices.Sorted(maps.Keys(list)) {
		if i == 0 {
			w.buf.WriteString("{\n    ")
		} else {
			w.buf.WriteString(",\n    ")
		}
		w.quote(name)
		w.buf.WriteString(` : {"Type":`)
		w.quote(list[name].DataType)
		w.buf.WriteString(`,"Value":`)
		w.quote(list[name].Value)
		w.buf.WriteByte('}')
	}
	w.buf.WriteString("\n  }")
}

func (w *memberWriter) end() []byte {
	w.buf.WriteString("\n}")
	return w.buf.Bytes()
}
