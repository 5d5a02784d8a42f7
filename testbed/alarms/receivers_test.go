// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarms

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type object = map[string]any

// receivers is a server that acts as the subscriber of a topic, as Slack, and as PagerDuty. Each keeps what it was sent.
type receivers struct {
	*httptest.Server

	mu        sync.Mutex
	sns       []notification
	slack     []object
	pagerduty []object
	faults    []error
	confirmed bool
	// down has Slack out of order; refused is how often it said so.
	down    bool
	refused int
}

// notification is an SNS document of the type Notification.
type notification struct {
	Subject string
	// Message is decoded.
	Message object
}

func listen(t *testing.T) *receivers {
	t.Helper()
	r := &receivers{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sns", r.handle(r.takeSNS))
	mux.HandleFunc("POST /services/T0/B0/secret", r.handle(r.takeSlack))
	mux.HandleFunc("POST /v2/enqueue", r.handle(r.takePagerDuty))
	r.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		r.Close()
		r.mu.Lock()
		defer r.mu.Unlock()
		require.NoError(t, errors.Join(r.faults...))
	})
	return r
}

// handle keeps what is wrong with a request, and answers that.
func (r *receivers) handle(take func(http.ResponseWriter, *http.Request, []byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
		if err == nil {
			err = take(w, req, body)
		}
		if err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.faults = append(r.faults, fmt.Errorf("%s: %w", req.URL.Path, err))
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}
}

// snsDocument is what SNS posts.
type snsDocument struct {
	Type, MessageId, TopicArn, Message, Timestamp, SignatureVersion, Signature, SigningCertURL string
	UnsubscribeURL, Token, SubscribeURL                                                        string
	Subject                                                                                    *string
}

func (r *receivers) takeSNS(_ http.ResponseWriter, req *http.Request, body []byte) error {
	var d snsDocument
	if err := json.Unmarshal(body, &d); err != nil {
		return err
	}
	if got := req.Header.Get("X-Amz-Sns-Message-Type"); got != d.Type {
		return fmt.Errorf("the header says %q, the document %q", got, d.Type)
	}
	if got := req.Header.Get("Content-Type"); got != "text/plain; charset=UTF-8" {
		return fmt.Errorf("the content type is %q", got)
	}
	if err := d.verify(req.Context()); err != nil {
		return fmt.Errorf("verify a %s: %w", d.Type, err)
	}
	switch d.Type {
	case "SubscriptionConfirmation":
		answer, err := get(req.Context(), d.SubscribeURL)
		if err != nil {
			return err
		}
		if !strings.Contains(string(answer), "<SubscriptionArn>"+d.TopicArn+":") {
			return fmt.Errorf("confirmed with %s", answer)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.confirmed = true
		return nil
	case "Notification":
		n := notification{}
		if d.Subject != nil {
			n.Subject = *d.Subject
		}
		if err := json.Unmarshal([]byte(d.Message), &n.Message); err != nil {
			return err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sns = append(r.sns, n)
		return nil
	default:
		return fmt.Errorf("type %q", d.Type)
	}
}

// verify checks the signature as AWS's guide says.
func (d *snsDocument) verify(ctx context.Context) error {
	text := "Message\n" + d.Message + "\nMessageId\n" + d.MessageId + "\n"
	switch {
	case d.Type != "Notification":
		text += "SubscribeURL\n" + d.SubscribeURL + "\n"
	case d.Subject != nil:
		text += "Subject\n" + *d.Subject + "\n"
	}
	text += "Timestamp\n" + d.Timestamp + "\n"
	if d.Type != "Notification" {
		text += "Token\n" + d.Token + "\n"
	}
	text += "TopicArn\n" + d.TopicArn + "\nType\n" + d.Type + "\n"

	raw, err := get(ctx, d.SigningCertURL)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return errors.New("no PEM at SigningCertURL")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("a key of %T", certificate.PublicKey)
	}
	signature, err := base64.StdEncoding.DecodeString(d.Signature)
	if err != nil {
		return err
	}
	switch d.SignatureVersion {
	case "1":
		sum := sha1.Sum([]byte(text))
		return rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature)
	case "2":
		sum := sha256.Sum256([]byte(text))
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	}
	return fmt.Errorf("signature version %q", d.SignatureVersion)
}

func get(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, resp.Status, body)
	}
	return body, err
}

func (r *receivers) takeSlack(w http.ResponseWriter, _ *http.Request, body []byte) error {
	var d object
	if err := json.Unmarshal(body, &d); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		r.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return nil
	}
	r.slack = append(r.slack, d)
	_, err := io.WriteString(w, "ok")
	return err
}

func (r *receivers) takePagerDuty(w http.ResponseWriter, _ *http.Request, body []byte) error {
	var d object
	if err := json.Unmarshal(body, &d); err != nil {
		return err
	}
	if d["routing_key"] != "0123456789abcdef0123456789abcdef" {
		return fmt.Errorf("routing key %v", d["routing_key"])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pagerduty = append(r.pagerduty, d)
	w.WriteHeader(http.StatusAccepted)
	_, err := fmt.Fprintf(w, `{"status":"success","message":"Event processed","dedup_key":%q}`, d["dedup_key"])
	return err
}

// eventually waits until f, which may look at what was taken, holds.
func (r *receivers) eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	holds := func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return f()
	}
	if assert.Eventually(t, holds, patience, 2*time.Millisecond, what) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Fatalf("%d SNS, %d Slack, %d PagerDuty, %v", len(r.sns), len(r.slack), len(r.pagerduty), r.faults)
}

// setDown puts Slack out of order, or in order again.
func (r *receivers) setDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// of are the notifications of an alarm.
func (r *receivers) of(alarm string) []notification {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.sns), func(n notification) bool { return n.Message["AlarmName"] != alarm })
}
