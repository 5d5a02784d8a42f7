// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
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
	// DefaultSeverity is the severity of an alarm without a tag "severity" whose name tells none.
	DefaultSeverity string `mapstructure:"default_severity"`
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

// ForwardConfig says how AWS is reached.
type ForwardConfig struct {
	// Region is that of the ARN when empty.
	Region string `mapstructure:"region"`
	// Endpoint is used for all services when it is not empty.
	Endpoint string `mapstructure:"endpoint"`
	// RoleARN is assumed with ExternalID.
	RoleARN    string `mapstructure:"role_arn"`
	ExternalID string `mapstructure:"external_id"`
	// AccessKeyID and SecretAccessKey are used instead of those that the environment gives.
	AccessKeyID     string              `mapstructure:"access_key_id"`
	SecretAccessKey configopaque.String `mapstructure:"secret_access_key"`
	SessionToken    configopaque.String `mapstructure:"session_token"`
	// Services are those that are forwarded to: sns, lambda, ssm, autoscaling. Empty is all.
	Services []string `mapstructure:"services"`
}

var _ component.Config = (*Config)(nil)
