// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/deadletter"
	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/forward"
	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/queue"
	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/receivers"
	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/records"
	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/topics"
)

// run is everything that is there between Start and Shutdown. Its members are nil as far as it was not opened.
type run struct {
	now       func() time.Time
	timeout   time.Duration
	routes    map[string][]RouteConfig
	hasRoute  bool
	hasMail   bool
	url       func(region string) string
	store     *records.Store
	letters   *deadletter.File
	queue     *queue.Queue
	topics    *topics.Service
	client    *http.Client
	receivers *receivers.Manager
	forward   *forward.Forwarder
	server    *server
}

// stateName is the name of the storage client.
const stateName = "notifications"

// open opens everything. What it has opened is returned with an error, too.
func (e *notifications) open(ctx context.Context, host component.Host) (*run, error) {
	r := &run{now: e.now, timeout: e.cfg.Retry.Timeout, routes: map[string][]RouteConfig{}}
	for _, route := range e.cfg.Routes {
		r.routes[route.ARN] = append(r.routes[route.ARN], route)
	}
	client, err := e.storage(ctx, host)
	if err != nil {
		return r, err
	}
	r.store = records.New(client) //nolint:contextcheck // it lives on after Start
	if e.cfg.DeadLetter.File != "" {
		r.letters, err = deadletter.Open(e.cfg.DeadLetter.File, e.cfg.DeadLetter.MaxSize, e.cfg.DeadLetter.MaxBackups)
		if err != nil {
			return r, fmt.Errorf("open the dead-letter file: %w", err)
		}
	}
	if r.server, err = e.listen(ctx); err != nil {
		return r, fmt.Errorf("listen on %s: %w", e.cfg.Endpoint, err)
	}
	r.url = e.externalURL(r.server)
	if r.queue, err = queue.Open(ctx, e.queueSettings(r)); err != nil {
		return r, fmt.Errorf("open the queue: %w", err)
	}
	if err := e.openReceivers(ctx, r); err != nil {
		return r, fmt.Errorf(`open "alertmanager": %w`, err)
	}
	if err := e.openTopics(ctx, r); err != nil {
		return r, fmt.Errorf("open the topics: %w", err)
	}
	return r, e.openForward(ctx, r)
}

func (e *notifications) storage(ctx context.Context, host component.Host) (storage.Client, error) {
	if e.cfg.Storage == nil {
		e.logger.Warn(`topics, subscriptions, silences and undelivered notifications are lost when the collector stops: ` +
			`name a storage extension in the option "storage" to keep them`)
		return storage.NewNopClient(), nil
	}
	ext, ok := host.GetExtensions()[*e.cfg.Storage]
	if !ok {
		return nil, fmt.Errorf("extension %q not found: list it under service::extensions", e.cfg.Storage)
	}
	provider, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("extension %q is %T, not a storage extension", e.cfg.Storage, ext)
	}
	client, err := provider.GetClient(ctx, component.KindExtension, e.set.ID, stateName)
	if err != nil {
		return nil, fmt.Errorf("open the state of notifications in %q: %w", e.cfg.Storage, err)
	}
	return client, nil
}

// externalURL is how subscribers reach the endpoint.
func (e *notifications) externalURL(s *server) func(region string) string {
	base := strings.TrimSuffix(e.cfg.ExternalURL, "/")
	if base == "" {
		scheme := "http"
		if e.cfg.TLS.HasValue() {
			scheme = "https"
		}
		host, _ := splitEndpoint(e.cfg.Endpoint) // it was validated, and is listened on
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "localhost"
		}
		_, port, _ := net.SplitHostPort(s.address()) // an address of a listener always splits
		base = scheme + "://" + net.JoinHostPort(host, port)
	}
	return func(region string) string { return strings.ReplaceAll(base, regionPlaceholder, region) }
}

func (e *notifications) queueSettings(r *run) queue.Settings {
	return queue.Settings{
		Store:                  r.store,
		Deliver:                r.deliver,
		DeadLetter:             e.deadLetter(r.letters),
		Observe:                e.observeAttempt,
		DeadLetterFailed:       e.deadLetterFailed,
		Logger:                 e.logger,
		Now:                    e.now,
		MaxItems:               e.cfg.Queue.MaxItems,
		MaxSize:                e.cfg.Queue.MaxSize,
		MaxConcurrent:          e.cfg.Queue.MaxConcurrent,
		MaxConcurrentPerTarget: e.cfg.Queue.MaxConcurrentPerTarget,
		Remember:               e.cfg.Queue.Remember,
		Backoff: queue.Backoff{
			Initial: e.cfg.Retry.InitialInterval, Max: e.cfg.Retry.MaxInterval,
			Multiplier: e.cfg.Retry.Multiplier, MaxAge: e.cfg.Retry.MaxElapsedTime,
		},
	}
}

// deadLetter keeps what has failed for good.
func (e *notifications) deadLetter(file *deadletter.File) func(*queue.Item, time.Time) error {
	return func(it *queue.Item, now time.Time) error {
		if file != nil {
			err := file.Write(&deadletter.Letter{
				Time: now.UTC(), Kind: it.Kind, Target: it.Target, ID: it.ID, Action: it.Action, AlarmARN: it.AlarmARN,
				Enqueued: it.Enqueued, Attempts: it.Attempts, Error: it.LastError, Body: it.Body,
			})
			if err != nil {
				return err
			}
		}
		e.logger.Error("notification not delivered", zap.String("kind", it.Kind), zap.String("target", it.Target),
			zap.String("alarm", it.AlarmARN), zap.Int("attempts", it.Attempts), zap.String("error", it.LastError))
		return nil
	}
}

func (e *notifications) openTopics(ctx context.Context, r *run) (err error) {
	r.client = topics.NewClient()
	set := topics.Settings{
		Store: r.store,
		Enqueue: func(ctx context.Context, items []*queue.Item, also func(*records.Change)) error {
			err := r.queue.Enqueue(items, nil, also)
			if err != nil {
				e.refused(ctx, err, len(items))
			}
			return err
		},
		URL: r.url, Client: r.client, Logger: e.logger, Now: e.now,
		MaxTopics: e.cfg.SNS.MaxTopics, MaxSubscriptions: e.cfg.SNS.MaxSubscriptions,
		RetryDelayScale: e.cfg.SNS.RetryDelayScale, RequestTimeout: e.cfg.SNS.RequestTimeout,
	}
	if r.hasMail {
		set.Mail = r.receivers.Mail
	}
	r.topics, err = topics.Open(ctx, set)
	return err
}

func (e *notifications) openReceivers(ctx context.Context, r *run) error {
	if len(e.cfg.Alertmanager) == 0 {
		return nil
	}
	cfg, err := receivers.Load(e.cfg.Alertmanager)
	if err != nil {
		return err
	}
	r.hasRoute, r.hasMail = cfg.HasRoute, cfg.HasMail()
	r.receivers, err = receivers.Open(ctx, receivers.Settings{
		Config: cfg, Store: r.store, ExternalURL: r.url("local") + alertmanagerPath,
		NoDataSeverity: e.cfg.InsufficientDataSeverity, Observe: e.observeGroup,
		Logger: slog.New(zapslog.NewHandler(e.logger.Core())), Now: e.now,
	})
	return err
}

func (e *notifications) openForward(ctx context.Context, r *run) error {
	if !e.cfg.Forward.HasValue() {
		return nil
	}
	cfg := e.cfg.Forward.Get()
	session, err := cfg.Session.Open(ctx)
	if err != nil {
		return fmt.Errorf(`"forward": %w`, err)
	}
	r.forward = forward.New(session, cfg.Services)
	return nil
}

// start begins to deliver and to answer.
func (r *run) start(host component.Host) error {
	if r.receivers != nil {
		if err := r.receivers.Start(); err != nil {
			return err
		}
	}
	if err := r.server.serve(host, r); err != nil {
		return err
	}
	r.queue.Start()
	return nil
}

// close ends everything that was opened, in the order in which one uses the other.
func (r *run) close(ctx context.Context) error {
	if r == nil {
		return nil
	}
	var errs []error
	// A subscriber that is being told needs the certificate that the server has: it would refuse what it cannot verify.
	if r.queue != nil {
		r.queue.Stop()
	}
	if r.server != nil {
		errs = append(errs, r.server.shutdown(ctx))
	}
	if r.receivers != nil {
		r.receivers.Stop()
	}
	if r.forward != nil {
		r.forward.Close()
	}
	if r.client != nil {
		r.client.CloseIdleConnections()
	}
	if r.letters != nil {
		errs = append(errs, r.letters.Close())
	}
	if r.store != nil {
		errs = append(errs, r.store.Close(ctx))
	}
	return errors.Join(errs...)
}
