// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// Package receivers tells Slack, PagerDuty, webhooks, email and the other receivers of Alertmanager of alarms: directly, or
// through its tree of routes with grouping, inhibition, silences and repetition.
package receivers

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	"go.yaml.in/yaml/v3"
)

// Config is a configuration of Alertmanager that was read.
type Config struct {
	*config.Config
	// HasRoute is whether it has a tree of routes.
	HasRoute bool

	// saysResolved are the integrations whose send_resolved is given, as receiver/kind/index.
	saysResolved map[string]bool
}

// noReceiver is the receiver of the tree of routes that a configuration without one is given.
const noReceiver = "nephoscope-no-route"

// parsers are process-wide in Alertmanager.
var parsers sync.Once

// Load reads a configuration from the keys of Alertmanager's file.
func Load(keys map[string]any) (*Config, error) {
	parsers.Do(func() {
		compat.InitFromFlags(slog.New(slog.NewTextHandler(io.Discard, nil)), featurecontrol.NoopFlags{})
	})
	keys = maps.Clone(keys)
	c := &Config{HasRoute: keys["route"] != nil, saysResolved: map[string]bool{}}
	receivers, ok := keys["receivers"].([]any)
	if !ok && keys["receivers"] != nil {
		return nil, errors.New(`"receivers" must be a list`)
	}
	c.noteResolved(receivers)
	if !c.HasRoute {
		keys["route"] = map[string]any{"receiver": noReceiver}
		keys["receivers"] = append(slices.Clone(receivers), map[string]any{"name": noReceiver})
	}
	text, err := yaml.Marshal(keys)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if c.Config, err = config.Load(string(text)); err != nil {
		return nil, err
	}
	return c, nil
}

// noteResolved finds the integrations whose send_resolved is given: reading fills it with a default.
func (c *Config) noteResolved(receivers []any) {
	for _, r := range receivers {
		receiver, ok := r.(map[string]any)
		if !ok {
			continue
		}
		for key, v := range receiver {
			kind, isList := strings.CutSuffix(key, "_configs")
			list, ok := v.([]any)
			if !isList || !ok {
				continue
			}
			for i, v := range list {
				integration, ok := v.(map[string]any)
				if !ok {
					continue
				}
				if _, given := integration["send_resolved"]; given {
					c.saysResolved[fmt.Sprint(receiver["name"])+"/"+integrationKey(kind, i)] = true
				}
			}
		}
	}
}

// integrationKey names an integration of a receiver: slack[0].
func integrationKey(kind string, index int) string { return fmt.Sprintf("%s[%d]", kind, index) }

// HasReceiver is whether there is a receiver of that name.
func (c *Config) HasReceiver(name string) bool {
	return slices.ContainsFunc(c.Receivers, func(r config.Receiver) bool { return r.Name == name })
}
