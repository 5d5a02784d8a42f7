// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/forward"
	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/receivers"
	"github.com/nephoscope/nephoscope/internal/awssession"
)

// Config of the notifications extension.
type Config struct {
	// Endpoint is the address, host:port, on which subscribers find the certificate and confirm their subscriptions, and
	// on which Alertmanager's API is served.
	Endpoint string `mapstructure:"endpoint"`
	// TLS makes the endpoint speak https.
	TLS configoptional.Optional[configtls.ServerConfig] `mapstructure:"tls"`
	// ExternalURL is how subscribers reach the endpoint; {region} in it stands for a topic's region. "" is the endpoint's
	// own address.
	ExternalURL string `mapstructure:"external_url"`

	// Storage is the extension that keeps topics, subscriptions, the queue, the notification log and silences. Without it
	// they are lost when the collector stops.
	Storage *component.ID `mapstructure:"storage"`

	Queue      QueueConfig      `mapstructure:"queue"`
	Retry      RetryConfig      `mapstructure:"retry"`
	DeadLetter DeadLetterConfig `mapstructure:"dead_letter"`
	SNS        SNSConfig        `mapstructure:"sns"`

	// Alertmanager is a configuration of Alertmanager, key by key: receivers, route, inhibit_rules, time_intervals,
	// templates, global.
	Alertmanager map[string]any `mapstructure:"alertmanager"`
	// AlertmanagerAPI is Alertmanager's HTTP API, below /alertmanager.
	AlertmanagerAPI AlertmanagerAPIConfig `mapstructure:"alertmanager_api"`
	// Routes attach receivers to the ARNs of actions.
	Routes []RouteConfig `mapstructure:"routes"`
	// InsufficientDataSeverity is the severity of the alert that says that an alarm has no data; "off" sends none to the
	// route tree.
	InsufficientDataSeverity string `mapstructure:"insufficient_data_severity"`

	// Forward sends actions whose ARN is neither a topic here nor routed to AWS.
	Forward configoptional.Optional[ForwardConfig] `mapstructure:"forward"`
}

// QueueConfig bounds what waits to be delivered.
type QueueConfig struct {
	// MaxItems and MaxSize bound the deliveries that wait, by number and by bytes. What comes beyond is refused.
	MaxItems int   `mapstructure:"max_items"`
	MaxSize  int64 `mapstructure:"max_size"`
	// MaxConcurrent bounds the attempts at the same time, MaxConcurrentPerTarget those to one target.
	MaxConcurrent          int `mapstructure:"max_concurrent"`
	MaxConcurrentPerTarget int `mapstructure:"max_concurrent_per_target"`
	// Remember is how many actions are known by their ID, so that they are not delivered again.
	Remember int `mapstructure:"remember"`
}

// RetryConfig says how failed actions are tried again. Subscriptions of topics follow their delivery policies.
type RetryConfig struct {
	InitialInterval time.Duration `mapstructure:"initial_interval"`
	MaxInterval     time.Duration `mapstructure:"max_interval"`
	Multiplier      float64       `mapstructure:"multiplier"`
	// MaxElapsedTime is the age at which an action that still fails becomes a dead letter.
	MaxElapsedTime time.Duration `mapstructure:"max_elapsed_time"`
	// Timeout bounds one attempt.
	Timeout time.Duration `mapstructure:"timeout"`
}

// DeadLetterConfig says where that goes which could not be delivered.
type DeadLetterConfig struct {
	// File has a JSON document a line; "" keeps only the log entry.
	File string `mapstructure:"file"`
	// MaxSize is the size in bytes at which the file is put aside, MaxBackups how many of those are kept.
	MaxSize    int64 `mapstructure:"max_size"`
	MaxBackups int   `mapstructure:"max_backups"`
}

// SNSConfig bounds the topics that are held.
type SNSConfig struct {
	MaxTopics        int `mapstructure:"max_topics"`
	MaxSubscriptions int `mapstructure:"max_subscriptions"`
	// RetryDelayScale multiplies the delays of delivery policies.
	RetryDelayScale float64 `mapstructure:"retry_delay_scale"`
	// RequestTimeout bounds one attempt; 15 s at AWS.
	RequestTimeout time.Duration `mapstructure:"request_timeout"`
}

// AlertmanagerAPIConfig says who is served Alertmanager's API.
type AlertmanagerAPIConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// AllowRemote serves clients on other machines, too. The API asks nobody for credentials.
	AllowRemote bool `mapstructure:"allow_remote"`
}

// RouteConfig attaches a receiver to the ARN of an action.
type RouteConfig struct {
	ARN string `mapstructure:"arn"`
	// Receiver is the name of one of alertmanager::receivers.
	Receiver string `mapstructure:"receiver"`
	// Forward sends the action to AWS as well.
	Forward bool `mapstructure:"forward"`
}

// ForwardConfig says how AWS is reached. Requests go to the region that the ARN of the action names.
type ForwardConfig struct {
	Session awssession.Config `mapstructure:",squash"`
	// Services are those that are forwarded to: sns, lambda, ssm, autoscaling. Empty is all.
	Services []string `mapstructure:"services"`
}

var _ component.Config = (*Config)(nil)

// Validate reports all that is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, err := splitEndpoint(c.Endpoint); err != nil {
		fail(`"endpoint": %w`, err)
	}
	if c.ExternalURL != "" {
		u, err := url.Parse(strings.ReplaceAll(c.ExternalURL, regionPlaceholder, "us-east-1"))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			fail(`"external_url" must be a URL such as https://sns.example.com, got %q`, c.ExternalURL)
		}
	}
	for _, p := range []struct {
		name  string
		value int64
	}{
		{"queue::max_items", int64(c.Queue.MaxItems)},
		{"queue::max_size", c.Queue.MaxSize},
		{"queue::max_concurrent", int64(c.Queue.MaxConcurrent)},
		{"queue::max_concurrent_per_target", int64(c.Queue.MaxConcurrentPerTarget)},
		{"queue::remember", int64(c.Queue.Remember)},
		{"retry::initial_interval", int64(c.Retry.InitialInterval)},
		{"retry::timeout", int64(c.Retry.Timeout)},
		{"retry::max_elapsed_time", int64(c.Retry.MaxElapsedTime)},
		{"dead_letter::max_size", c.DeadLetter.MaxSize},
		{"sns::max_topics", int64(c.SNS.MaxTopics)},
		{"sns::max_subscriptions", int64(c.SNS.MaxSubscriptions)},
		{"sns::request_timeout", int64(c.SNS.RequestTimeout)},
	} {
		if p.value <= 0 {
			fail("%q must be greater than 0, got %d", p.name, p.value)
		}
	}
	if c.Retry.MaxInterval < c.Retry.InitialInterval {
		fail(`"retry::max_interval" must not be less than "retry::initial_interval", got %s`, c.Retry.MaxInterval)
	}
	if c.Retry.Multiplier < 1 {
		fail(`"retry::multiplier" must be at least 1, got %g`, c.Retry.Multiplier)
	}
	if c.DeadLetter.MaxBackups < 0 {
		fail(`"dead_letter::max_backups" must not be negative, got %d`, c.DeadLetter.MaxBackups)
	}
	if c.SNS.RetryDelayScale < 0 {
		fail(`"sns::retry_delay_scale" must not be negative, got %g`, c.SNS.RetryDelayScale)
	}
	if c.InsufficientDataSeverity == "" {
		fail(`"insufficient_data_severity" must be a severity, or "off"`)
	}
	return errors.Join(append(errs, c.validateReceivers(), c.validateForward())...)
}

func (c *Config) validateReceivers() error {
	var errs []error
	var am *receivers.Config
	if len(c.Alertmanager) > 0 {
		var err error
		if am, err = receivers.Load(c.Alertmanager); err != nil {
			return fmt.Errorf(`"alertmanager": %w`, err)
		}
	}
	for i, r := range c.Routes {
		if !actionARN.MatchString(r.ARN) {
			errs = append(errs, fmt.Errorf(`"routes[%d]::arn" must be the ARN of an action, got %q`, i, r.ARN))
		}
		if am == nil || !am.HasReceiver(r.Receiver) {
			errs = append(errs, fmt.Errorf(`"routes[%d]::receiver": there is no receiver %q in "alertmanager::receivers"`, i, r.Receiver))
		}
		if r.Forward && !c.Forward.HasValue() {
			errs = append(errs, fmt.Errorf(`"routes[%d]::forward" needs "forward"`, i))
		}
		if slices.ContainsFunc(c.Routes[:i], func(o RouteConfig) bool { return o.ARN == r.ARN && o.Receiver == r.Receiver }) {
			errs = append(errs, fmt.Errorf(`"routes[%d]" is there twice`, i))
		}
	}
	return errors.Join(errs...)
}

func (c *Config) validateForward() error {
	if !c.Forward.HasValue() {
		return nil
	}
	var errs []error
	for _, s := range c.Forward.Get().Services {
		if !slices.Contains(forward.Services(), s) {
			errs = append(errs, fmt.Errorf(`"forward::services": %q is none of %s`, s, strings.Join(forward.Services(), ", ")))
		}
	}
	return errors.Join(errs...)
}

// regionPlaceholder stands for a topic's region in the external URL.
const regionPlaceholder = "{region}"

var actionARN = regexp.MustCompile(`^arn:[^:\s]+:[^:\s]+:[^:\s]*:[^:\s]*:\S+$`)

func splitEndpoint(endpoint string) (host string, err error) {
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		return "", fmt.Errorf("must be host:port: %w", err)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("port %q is not a number from 0 to 65535", port)
	}
	return host, nil
}
