// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/topics"
	"github.com/nephoscope/nephoscope/pkg/awswire"
)

const (
	// alertmanagerPath is where Alertmanager's API is.
	alertmanagerPath = "/alertmanager"

	shutdownGrace  = 5 * time.Second
	maxHeaderBytes = 64 << 10
	maxBody        = 1 << 20
)

// server answers subscribers and clients of Alertmanager.
type server struct {
	e        *notifications
	listener net.Listener
	http     *http.Server
	wg       sync.WaitGroup
}

// listen opens the port, so that a port that is taken is an error at start. Connections wait until serve.
func (e *notifications) listen(ctx context.Context) (*server, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", e.cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	if e.cfg.TLS.HasValue() {
		t, err := e.cfg.TLS.Get().LoadTLSConfig(ctx)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("tls: %w", err), listener.Close())
		}
		listener = tls.NewListener(listener, t)
	}
	return &server{e: e, listener: listener}, nil
}

func (s *server) address() string { return s.listener.Addr().String() }

// serve begins to answer.
func (s *server) serve(host component.Host, r *run) error {
	handler, err := s.handler(r)
	if err != nil {
		return err
	}
	s.http = &http.Server{
		Handler:           http.MaxBytesHandler(handler, maxBody),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          zap.NewStdLog(s.e.logger.WithOptions(zap.IncreaseLevel(zap.WarnLevel))),
	}
	s.wg.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// handler answers for the certificate of signatures, the links in what subscribers are sent, and Alertmanager's API.
func (s *server) handler(r *run) (http.Handler, error) {
	links := awswire.NewService("sns")
	topics.AddLinks(links, func() *topics.Service { return r.topics })
	wire, err := awswire.NewMux(awswire.MuxSettings{Services: []*awswire.Service{links}, Logger: s.e.logger, Now: s.e.now})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	name, text := r.topics.Certificate()
	mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(text)
	})
	mux.Handle("GET /{$}", wire)
	mux.Handle("POST /{$}", wire)
	if r.receivers == nil || !s.e.cfg.AlertmanagerAPI.Enabled {
		return mux, nil
	}
	api, err := r.receivers.Handler(alertmanagerPath)
	if err != nil {
		return nil, err
	}
	mux.Handle(alertmanagerPath+"/", guard(api, s.e.cfg.AlertmanagerAPI.AllowRemote))
	return mux, nil
}

// shutdown lets requests under way end, for a while.
func (s *server) shutdown(ctx context.Context) error {
	if s.http == nil {
		return s.listener.Close()
	}
	grace, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()
	err := s.http.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = nil
	}
	err = errors.Join(err, s.http.Close())
	s.wg.Wait()
	return err
}
