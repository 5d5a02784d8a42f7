// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var published = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

func notification() *Envelope {
	subject := "My First Message"
	return &Envelope{
		Type: Notification, MessageID: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", TopicARN: "arn:aws:sns:us-west-2:123456789012:MyTopic",
		Subject: &subject, Message: "Hello <world>!", Timestamp: FormatTime(published),
		SigningCertURL: "https://x/c.pem", UnsubscribeURL: "https://x/?a=b&c=d",
		Attributes: Attributes{"b": {DataType: "String", Value: "v"}, "a": {DataType: "Number", Value: "1"}},
	}
}

func confirmation() *Envelope {
	return &Envelope{
		Type: SubscriptionConfirmation, MessageID: "1", TopicARN: "arn", Token: "tok", Message: "m", SubscribeURL: "https://x/?s",
		Timestamp: FormatTime(published), SigningCertURL: "https://x/c.pem",
	}
}

// The strings to sign are those that the SNS developer guide spells out.
func TestStringToSign(t *testing.T) {
	e := notification()
	assert.Equal(t, "Message\nHello <world>!\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\nSubject\nMy First Message\n"+
		"Timestamp\n2026-01-02T03:04:05.678Z\nTopicArn\narn:aws:sns:us-west-2:123456789012:MyTopic\nType\nNotification\n", e.StringToSign())
	e.Subject = nil
	assert.NotContains(t, e.StringToSign(), "Subject")
	assert.Equal(t, "Message\nm\nMessageId\n1\nSubscribeURL\nhttps://x/?s\nTimestamp\n2026-01-02T03:04:05.678Z\nToken\ntok\n"+
		"TopicArn\narn\nType\nSubscriptionConfirmation\n", confirmation().StringToSign())
}

func TestEnvelopeJSON(t *testing.T) {
	e := notification()
	e.SignatureVersion, e.Signature = "1", "sig"
	//nolint:testifylint // the order and the spaces count, too
	assert.Equal(t, `{
  "Type" : "Notification",
  "MessageId" : "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  "TopicArn" : "arn:aws:sns:us-west-2:123456789012:MyTopic",
  "Subject" : "My First Message",
  "Message" : "Hello <world>!",
  "Timestamp" : "2026-01-02T03:04:05.678Z",
  "SignatureVersion" : "1",
  "Signature" : "sig",
  "SigningCertURL" : "https://x/c.pem",
  "UnsubscribeURL" : "https://x/?a=b&c=d",
  "MessageAttributes" : {
    "a" : {"Type":"Number","Value":"1"},
    "b" : {"Type":"String","Value":"v"}
  }
}`, string(e.JSON()))
	e = confirmation()
	e.SignatureVersion, e.Signature = "1", "sig"
	//nolint:testifylint // the order and the spaces count, too
	assert.Equal(t, `{
  "Type" : "SubscriptionConfirmation",
  "MessageId" : "1",
  "Token" : "tok",
  "TopicArn" : "arn",
  "Message" : "m",
  "SubscribeURL" : "https://x/?s",
  "Timestamp" : "2026-01-02T03:04:05.678Z",
  "SignatureVersion" : "1",
  "Signature" : "sig",
  "SigningCertURL" : "https://x/c.pem"
}`, string(e.JSON()))
}

func TestSigner(t *testing.T) {
	s, err := NewSigner(published)
	require.NoError(t, err)
	text, err := s.Marshal()
	require.NoError(t, err)
	again, err := ParseSigner(text)
	require.NoError(t, err)
	assert.Equal(t, s.Certificate(), again.Certificate())
	assert.Equal(t, s.CertificateName(), again.CertificateName())
	for _, version := range []string{SignatureVersion1, SignatureVersion2} {
		for _, e := range []*Envelope{notification(), confirmation()} {
			require.NoError(t, again.Sign(e, version))
			require.NoError(t, Verify(e, s.Certificate()))
			e.Message += "!"
			require.Error(t, Verify(e, s.Certificate()))
		}
	}
	require.ErrorContains(t, s.Sign(notification(), "3"), `unknown signature version "3"`)
	e := notification()
	require.NoError(t, s.Sign(e, "1"))
	other, err := NewSigner(published)
	require.NoError(t, err)
	require.Error(t, Verify(e, other.Certificate()))
	require.Error(t, Verify(e, nil))
	for _, bad := range []string{"", "x", string(s.Certificate()), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		_, err := ParseSigner([]byte(bad))
		require.Error(t, err)
	}
}

// FuzzEnvelope checks that what is posted reads back to what was signed.
func FuzzEnvelope(f *testing.F) {
	f.Add("subject", "message", "key", "value")
	f.Add("", "a\"b\\c\n\u2028</script>\x00", "a.b", "\xff")
	f.Fuzz(func(t *testing.T, subject, message, key, value string) {
		e := notification()
		e.Subject, e.Message, e.Attributes = &subject, message, Attributes{key: {DataType: "String", Value: value}}
		var doc struct {
			Subject, Message  string
			MessageAttributes map[string]struct{ Type, Value string }
		}
		if err := json.Unmarshal(e.JSON(), &doc); err != nil {
			t.Fatal(err)
		}
		valid := func(s string) string { return string([]rune(s)) }
		if doc.Message != valid(message) || doc.Subject != valid(subject) || doc.MessageAttributes[valid(key)].Value != valid(value) {
			t.Fatalf("%+v is not %+v", doc, e)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	s, err := NewSigner(published)
	require.NoError(b, err)
	e := notification()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Sign(e, SignatureVersion1); err != nil {
			b.Fatal(err)
		}
	}
}
