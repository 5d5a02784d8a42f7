// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/alertmanager/api"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/route"
)

// apiTimeout bounds a request of the API.
const apiTimeout = 30 * time.Second

// Handler serves Alertmanager's API v2 below prefix, and its metrics. Alerts come from alarms only, so that they cannot be
// posted.
func (m *Manager) Handler(prefix string) (http.Handler, error) {
	a, err := api.New(api.Options{
		Alerts:         m.alerts,
		Silences:       m.silences,
		GroupMutedFunc: m.groups.Muted,
		GroupFunc:      m.dispatcher.Groups,
		Timeout:        apiTimeout,
		Logger:         m.set.Logger,
		Registry:       m.registry,
		RequestDuration: promauto.With(m.registry).NewHistogramVec(prometheus.HistogramOpts{
			Name:    "alertmanager_http_request_duration_seconds",
			Help:    "Time that requests took.",
			Buckets: prometheus.DefBuckets,
		}, []string{"handler", "method", "code"}),
	})
	if err != nil {
		return nil, err
	}
	a.Update(m.set.Config.Config, func(ctx context.Context, labels model.LabelSet) {
		m.inhibitor.Mutes(ctx, labels)
		m.silencer.Mutes(ctx, labels)
	})
	router := route.New().WithPrefix(prefix)
	served := a.Register(router, prefix)
	served.Handle("GET "+prefix+"/metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	served.HandleFunc("POST "+prefix+"/api/v2/alerts", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "alerts come from alarms, and cannot be posted", http.StatusNotImplemented)
	})
	return served, nil
}
