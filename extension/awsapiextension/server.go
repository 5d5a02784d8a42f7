// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

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
)

// shutdownGrace is how long requests under way may go on once the extension is to stop. Receivers stop before it, so
// that no write is among them.
const shutdownGrace = 5 * time.Second

// maxHeaderBytes bounds a request's headers. Presigned requests carry much in their first line.
const maxHeaderBytes = 64 << 10

// server is the HTTP server.
type server struct {
	cfg      *Config
	logger   *zap.Logger
	handler  *handler
	http     *http.Server
	listener net.Listener
	host     component.Host
	serving  sync.Once
	wg       sync.WaitGroup
}

// listen opens the port, so that a port that is taken is an error at start. Connections wait in the kernel until serve.
func (s *server) listen(ctx context.Context, host component.Host) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.cfg.Endpoint)
	if err != nil {
		return err
	}
	if s.cfg.TLS.HasValue() {
		t, err := s.cfg.TLS.Get().LoadTLSConfig(ctx)
		if err != nil {
			return errors.Join(fmt.Errorf("tls: %w", err), listener.Close())
		}
		listener = tls.NewListener(listener, t)
	}
	s.listener, s.host = listener, host
	s.http = &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: s.cfg.ReadHeaderTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.WriteTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          zap.NewStdLog(s.logger.WithOptions(zap.IncreaseLevel(zap.WarnLevel))),
	}
	return nil
}

// serve begins to answer, once: the pipelines that take writes are there.
func (s *server) serve() {
	s.serving.Do(func() {
		s.wg.Go(func() {
			if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
				componentstatus.ReportStatus(s.host, componentstatus.NewFatalErrorEvent(err))
			}
		})
		s.logger.Info("AWS endpoint started", zap.String("endpoint", s.address()), zap.Bool("tls", s.cfg.TLS.HasValue()))
	})
}

func (s *server) address() string { return s.listener.Addr().String() }

// shutdown lets the requests under way end, for a while, and then cuts them off.
func (s *server) shutdown(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()
	err := s.http.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		s.logger.Warn("requests were cut off", zap.Duration("after", shutdownGrace))
		err = nil
	}
	err = errors.Join(err, s.http.Close())
	if closeErr := s.listener.Close(); !errors.Is(closeErr, net.ErrClosed) {
		err = errors.Join(err, closeErr) // it never served
	}
	s.wg.Wait()
	return errors.Join(err, s.handler.wait(ctx))
}
