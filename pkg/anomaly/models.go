// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package anomaly

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Configurations knows how models are to be trained.
type Configurations interface {
	// MetricConfig is of a metric and statistic. The zero Config is for those that nothing is known of.
	MetricConfig(tenant cloudwatch.Tenant, m *cloudwatch.Metric, stat string) Config
	// ExpressionConfig is of an expression of metric math.
	ExpressionConfig(tenant cloudwatch.Tenant, e *Expression) Config
}

// Settings are what [Models] are made with.
type Settings struct {
	// Reader has the history.
	Reader cloudwatch.MetricReader
	// Configurations may be nil: then all models are trained as the zero Config says.
	Configurations Configurations
	// MaxModels is how many are kept, 1,000 by default. Those that were not used for longest go first.
	MaxModels int
	// RetrainAfter is how old a model gets, an hour by default.
	RetrainAfter time.Duration
	// MaxTraining is how many are trained at the same time, two by default. Others wait.
	MaxTraining int
}

// Models trains models when they are first asked for, keeps them, and trains them again when they are old. It is safe for
// concurrent use.
//
// The time of training is not that of the request: it is the last one, not after the time that the request is made for,
// that is a multiple of RetrainAfter, shifted by the model's key so that not all are trained at once. The same question
// about the same history therefore has the same answer, whatever was asked before, and whether the data are of now or of
// last month.
type Models struct {
	set      Settings
	training chan struct{}

	mu    sync.Mutex
	kept  map[string]*entry
	clock uint64 // counts uses
}

type entry struct {
	used uint64
	// lock is held while the model is trained.
	lock    chan struct{}
	trained int64
	model   *Model
}

const (
	defaultMaxModels    = 1_000
	defaultRetrainAfter = time.Hour
	defaultMaxTraining  = 2
)

// NewModels returns models that are trained from the settings' reader.
func NewModels(set Settings) *Models {
	if set.MaxModels <= 0 {
		set.MaxModels = defaultMaxModels
	}
	if set.RetrainAfter < time.Minute {
		set.RetrainAfter = defaultRetrainAfter
	}
	if set.MaxTraining <= 0 {
		set.MaxTraining = defaultMaxTraining
	}
	return &Models{set: set, training: make(chan struct{}, set.MaxTraining), kept: make(map[string]*entry)}
}

// OfMetric is the model of a metric as it is at a time (Unix seconds).
func (m *Models) OfMetric(ctx context.Context, tenant cloudwatch.Tenant, metric *Metric, now int64) (*Model, error) {
	var cfg Config
	if m.set.Configurations != nil {
		cfg = m.set.Configurations.MetricConfig(tenant, &metric.Metric, metric.Stat)
	}
	if cfg.Unit == "" {
		cfg.Unit = metric.Unit
	}
	key := metric.key(tenant) + "|" + cfg.key()
	return m.get(ctx, key, now, func(at int64) (*Model, error) {
		points, unit, err := m.history(ctx, tenant, metric, at)
		if err != nil {
			return nil, fmt.Errorf("train a model of %s: %w", metric.Name, err)
		}
		if cfg.Unit == "" {
			cfg.Unit = unit
		}
		return Train(points, metric.Period, cfg), nil
	})
}

func (m *Metric) key(tenant cloudwatch.Tenant) string {
	return fmt.Sprintf("%s|%s|%s|%s|%d|", tenant.Account, tenant.Region, m.Stat, m.Unit, m.Period) + string(m.AppendKey(nil))
}

// get returns the model of a key, which is trained when it is not there or too old.
func (m *Models) get(ctx context.Context, key string, now int64, train func(at int64) (*Model, error)) (*Model, error) {
	at := m.trainedAt(key, now)
	e := m.entry(key)
	select {
	case e.lock <- struct{}{}:
		defer func() { <-e.lock }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if e.model != nil && e.trained == at {
		return e.model, nil
	}
	select {
	case m.training <- struct{}{}:
		defer func() { <-m.training }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	model, err := train(at)
	if err != nil {
		return nil, err
	}
	e.model, e.trained = model, at
	return model, nil
}

// trainedAt is the end of the history that a request at the time learns from.
func (m *Models) trainedAt(key string, now int64) int64 {
	every := int64(m.set.RetrainAfter / time.Second)
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	phase := int64(h.Sum64() % uint64(every/60) * 60)
	at := (now-phase)/every*every + phase
	if at > now {
		at -= every
	}
	return at
}

func (m *Models) entry(key string) *entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock++
	e := m.kept[key]
	if e == nil {
		if len(m.kept) >= m.set.MaxModels {
			m.evict()
		}
		e = &entry{lock: make(chan struct{}, 1)}
		m.kept[key] = e
	}
	e.used = m.clock
	return e
}

// evict drops the tenth that was not used for longest. What is being trained is finished for those who wait for it.
func (m *Models) evict() {
	limit := m.clock
	ages := make([]float64, 0, len(m.kept))
	for _, e := range m.kept {
		ages = append(ages, float64(e.used))
	}
	if len(ages) > 0 {
		limit = uint64(nth(ages, len(ages)/10))
	}
	for key, e := range m.kept {
		if e.used <= limit {
			delete(m.kept, key)
		}
	}
}
