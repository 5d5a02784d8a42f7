// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"context"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/notify/email"
	"github.com/prometheus/common/model"
)

// HasMail is whether there is a server that takes mail that is not of a receiver: global::smtp_smarthost and smtp_from.
func (c *Config) HasMail() bool {
	return c.Global != nil && c.Global.SMTPSmarthost.String() != "" && c.Global.SMTPFrom != ""
}

// newMailer makes what sends plain letters. What they hold is data to the templates, never a part of them.
func (m *Manager) newMailer() {
	if !m.set.Config.HasMail() {
		return
	}
	g := m.set.Config.Global
	requireTLS := g.SMTPRequireTLS
	m.mailer = email.New(&config.EmailConfig{
		To: `{{ .CommonAnnotations.to }}`, From: g.SMTPFrom, Hello: g.SMTPHello, Smarthost: g.SMTPSmarthost,
		AuthUsername: g.SMTPAuthUsername, AuthPassword: g.SMTPAuthPassword, AuthPasswordFile: g.SMTPAuthPasswordFile,
		AuthSecret: g.SMTPAuthSecret, AuthSecretFile: g.SMTPAuthSecretFile, AuthIdentity: g.SMTPAuthIdentity,
		RequireTLS: &requireTLS, TLSConfig: g.SMTPTLSConfig, ForceImplicitTLS: g.SMTPForceImplicitTLS,
		Headers: map[string]string{"Subject": `{{ .CommonAnnotations.subject }}`},
		Text:    `{{ .CommonAnnotations.text }}`,
	}, m.tmpl, m.set.Logger)
	m.mailBound = &bounded{slots: make(chan struct{}, maxUnfinished)}
}

// Mail sends a letter of plain text. again is whether another attempt makes sense after an error.
func (m *Manager) Mail(ctx context.Context, to, subject, text string) (again bool, err error) {
	ctx = notify.WithReceiverName(ctx, "mail")
	ctx = notify.WithGroupKey(ctx, "mail")
	ctx = notify.WithGroupLabels(ctx, model.LabelSet{})
	ctx = notify.WithNotificationReason(ctx, notify.ReasonFirstNotification)
	letter := &alert.Alert{Alert: model.Alert{
		Labels: model.LabelSet{labelName: "mail"}, StartsAt: time.Now(),
		Annotations: model.LabelSet{
			"to": model.LabelValue(to), "subject": model.LabelValue(subject), "text": model.LabelValue(text),
		},
	}}
	return m.mailBound.within(ctx, func() (bool, error) { return m.mailer.Notify(ctx, letter) })
}
