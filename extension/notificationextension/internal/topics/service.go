// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package topics holds SNS topics and subscriptions, answers the API of SNS, and posts what is published to subscribers.
package topics

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/queue"
	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
	"github.com/nephoscope/nephoscope/pkg/sns"
)

// Settings is what the service is made of.
type Settings struct {
	Store *records.Store
	// Enqueue accepts deliveries, with a change of the store that becomes durable with them.
	Enqueue func(ctx context.Context, items []*queue.Item, also func(*records.Change)) error
	// URL is how subscribers in a region reach the endpoint, without a slash at the end.
	URL func(region string) string
	// Client posts to subscribers.
	Client *http.Client
	// Mail sends a letter to a subscriber; nil when there is no mail server. again is whether another attempt makes sense
	// after an error.
	Mail   func(ctx context.Context, to, subject, text string) (again bool, err error)
	Logger *zap.Logger
	Now    func() time.Time

	MaxTopics        int
	MaxSubscriptions int
	// RetryDelayScale multiplies the delays of delivery policies.
	RetryDelayScale float64
	// RequestTimeout bounds one attempt.
	RequestTimeout time.Duration
}

// Service is the topics and subscriptions.
type Service struct {
	set    Settings
	signer *sns.Signer
	// sequence numbers the messages of FIFO topics.
	sequence atomic.Uint64

	topicTable        *records.Table
	subscriptionTable *records.Table

	mu            sync.RWMutex
	topics        map[string]*topic
	subscriptions map[string]*subscription
	nextSweep     time.Time
}

// signerKey is where the key that signs is kept.
const signerKey = "sns/signer"

// Open reads the topics and subscriptions, and makes the key that signs when there is none yet.
func Open(ctx context.Context, set Settings) (*Service, error) {
	s := &Service{set: set, topics: map[string]*topic{}, subscriptions: map[string]*subscription{}}
	s.sequence.Store(uint64(set.Now().UnixMicro()))
	if err := s.openSigner(ctx); err != nil {
		return nil, err
	}
	var err error
	s.topicTable, err = records.Load(ctx, set.Store, "topics", func(value []byte) (string, error) {
		t := &topic{}
		if err := json.Unmarshal(value, t); err != nil {
			return "", err
		}
		t.subscriptions = map[string]*subscription{}
		s.topics[t.ARN] = t
		return t.ARN, t.parse()
	})
	if err != nil {
		return nil, err
	}
	s.subscriptionTable, err = records.Load(ctx, set.Store, "subscriptions", func(value []byte) (string, error) {
		sub := &subscription{}
		if err := json.Unmarshal(value, sub); err != nil {
			return "", err
		}
		t := s.topics[sub.TopicARN]
		if t == nil {
			return "", nil // its topic was deleted
		}
		if err := sub.parse(); err != nil {
			return "", err
		}
		s.add(t, sub)
		return sub.ARN, nil
	})
	return s, err
}

func (s *Service) openSigner(ctx context.Context) error {
	text, err := s.set.Store.Get(ctx, signerKey)
	if err != nil {
		return fmt.Errorf("read the key of signatures: %w", err)
	}
	if text != nil {
		if s.signer, err = sns.ParseSigner(text); err != nil {
			return fmt.Errorf("the key of signatures: %w", err)
		}
		return nil
	}
	if s.signer, err = sns.NewSigner(s.set.Now()); err != nil {
		return err
	}
	if text, err = s.signer.Marshal(); err != nil {
		return err
	}
	return s.set.Store.Commit(func(c *records.Change) { c.Set(signerKey, text) })
}

// Certificate is the certificate of the signatures, in PEM, and its file name.
func (s *Service) Certificate() (name string, text []byte) {
	return s.signer.CertificateName(), s.signer.Certificate()
}

// Has is whether there is a topic of that ARN.
func (s *Service) Has(arn string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.topics[arn] != nil
}

// add links a subscription with its topic.
func (s *Service) add(t *topic, sub *subscription) {
	s.subscriptions[sub.ARN] = sub
	t.subscriptions[sub.ARN] = sub
}

// forget unlinks a subscription.
func (s *Service) forget(sub *subscription) {
	delete(s.subscriptions, sub.ARN)
	if t := s.topics[sub.TopicARN]; t != nil {
		delete(t.subscriptions, sub.ARN)
	}
}

// putTopic is the change that keeps a topic.
func (s *Service) putTopic(t *topic) (func(*records.Change), error) {
	text, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encode topic %s: %w", t.ARN, err)
	}
	return func(c *records.Change) { s.topicTable.Put(c, t.ARN, text) }, nil
}

// putSubscription is the change that keeps a subscription.
func (s *Service) putSubscription(sub *subscription) (func(*records.Change), error) {
	text, err := json.Marshal(sub)
	if err != nil {
		return nil, fmt.Errorf("encode subscription %s: %w", sub.ARN, err)
	}
	return func(c *records.Change) { s.subscriptionTable.Put(c, sub.ARN, text) }, nil
}

// sweepInterval is how often what has expired is looked for.
const sweepInterval = time.Hour

// sweep forgets subscriptions that nobody confirmed, and deleted ones that nobody restored.
func (s *Service) sweep() {
	now := s.set.Now()
	if now.Before(s.nextSweep) {
		return
	}
	s.nextSweep = now.Add(sweepInterval)
	var gone []*subscription
	for _, sub := range s.subscriptions {
		if sub.State != stateConfirmed && now.After(sub.TokenExpires) {
			gone = append(gone, sub)
		}
	}
	if len(gone) == 0 {
		return
	}
	err := s.set.Store.Commit(func(c *records.Change) {
		for _, sub := range gone {
			s.subscriptionTable.Delete(c, sub.ARN)
		}
	})
	if err != nil {
		s.set.Logger.Warn("expired subscriptions not deleted", zap.Error(err))
		return
	}
	for _, sub := range gone {
		s.forget(sub)
	}
}

// newID is a random id, of messages and subscriptions.
func newID() string { return uuid.NewString() }
