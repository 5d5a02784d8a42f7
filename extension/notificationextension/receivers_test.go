// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/metadata"
	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

type m = map[string]any

const pagerTopic = "arn:aws:sns:eu-west-1:123456789012:pager"

func TestReceiverOfRoute(t *testing.T) {
	slack, pager, hook := record(t), record(t), record(t)
	pager.answerWith(http.StatusAccepted, `{"status":"success"}`)
	mail := listenSMTP(t)
	cfg := fast(t)
	cfg.Alertmanager = m{
		"global": m{"slack_api_url": slack.URL + "/slack", "smtp_smarthost": mail.address, "smtp_from": "alarms@example.com", "smtp_require_tls": false},
		"receivers": []any{m{
			"name":              "oncall",
			"slack_configs":     []any{m{"channel": "#ops"}},
			"pagerduty_configs": []any{m{"routing_key": strings.Repeat("k", 32), "url": pager.URL + "/v2/enqueue", "severity": `{{ .CommonLabels.severity }}`}},
			"webhook_configs":   []any{m{"url": hook.URL + "/hook"}},
			"email_configs":     []any{m{"to": "ops@example.com", "send_resolved": false}},
		}},
	}
	cfg.Routes = []RouteConfig{{ARN: pagerTopic, Receiver: "oncall"}}
	c := start(t, cfg)

	c.dispatch(action("1", pagerTopic, "cpu", alarm.StateAlarm))
	doc := next(t, slack.requests).decode(t)
	assert.Equal(t, "#ops", doc["channel"])
	attachment := doc["attachments"].([]any)[0].(m)
	assert.Contains(t, attachment["title"], "[FIRING:1] cpu")
	assert.Equal(t, "danger", attachment["color"])

	doc = next(t, pager.requests).decode(t)
	assert.Equal(t, "trigger", doc["event_action"])
	assert.Equal(t, "critical", doc["payload"].(m)["severity"])
	incident := doc["dedup_key"]
	assert.NotEmpty(t, incident)

	doc = next(t, hook.requests).decode(t)
	assert.Equal(t, "firing", doc["status"])
	one := doc["alerts"].([]any)[0].(m)
	assert.Equal(t, m{
		"alertname": "cpu", "alarm_arn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cpu", "account": account, "region": region,
		"severity": "critical", "alarm_type": "MetricAlarm", "namespace": "AWS/EC2", "metric": "CPUUtilization",
	}, one["labels"])
	assert.Equal(t, m{"description": "too hot", "runbook": "https://runbooks/cpu", "reason": "Threshold Crossed"}, one["annotations"])

	letter := next(t, mail.letters)
	assert.Contains(t, letter, "Subject: [FIRING:1] cpu")
	assert.Contains(t, letter, "To: ops@example.com")

	res := c.result()
	require.NoError(t, res.Err)
	assert.JSONEq(t, `{"AlarmName":"cpu"}`, res.Message)

	// OK resolves, also with Slack, whose default is not to tell: the alarm's list of actions asks for it. The email's
	// configuration rules it out.
	c.dispatch(action("2", pagerTopic, "cpu", alarm.StateOK))
	doc = next(t, pager.requests).decode(t)
	assert.Equal(t, "resolve", doc["event_action"])
	assert.Equal(t, incident, doc["dedup_key"])
	assert.Equal(t, "good", next(t, slack.requests).decode(t)["attachments"].([]any)[0].(m)["color"])
	assert.Equal(t, "resolved", next(t, hook.requests).decode(t)["status"])
	require.NoError(t, c.result().Err)
	assert.Empty(t, mail.letters)

	// An alarm without data fires with a severity of its own.
	c.dispatch(action("3", pagerTopic, "cpu", alarm.StateInsufficientData))
	doc = next(t, pager.requests).decode(t)
	assert.Equal(t, "trigger", doc["event_action"])
	assert.Equal(t, "warning", doc["payload"].(m)["severity"])
}

func TestSlackThatIsTooBusy(t *testing.T) {
	slack := record(t)
	n := 0
	slack.answerBy(func(request) (int, string) {
		if n++; n < 4 {
			return http.StatusTooManyRequests, strings.Repeat("slow down ", 10<<20/10)
		}
		return http.StatusOK, "ok"
	})
	cfg := fast(t)
	cfg.Alertmanager = m{"receivers": []any{m{"name": "oncall", "slack_configs": []any{m{"api_url": slack.URL, "channel": "#ops"}}}}}
	cfg.Routes = []RouteConfig{{ARN: pagerTopic, Receiver: "oncall"}}
	c := start(t, cfg)
	c.dispatch(action("1", pagerTopic, "cpu", alarm.StateAlarm))
	require.NoError(t, c.result().Err)
	assert.Len(t, slack.requests, 4)
}

func TestPartsOfActionFailAlone(t *testing.T) {
	slack, hook := record(t), record(t)
	slack.answerWith(http.StatusBadRequest, "no")
	cfg := fast(t)
	cfg.Alertmanager = m{"receivers": []any{m{
		"name":            "oncall",
		"slack_configs":   []any{m{"api_url": slack.URL, "channel": "#ops"}},
		"webhook_configs": []any{m{"url": hook.URL}},
	}}}
	cfg.Routes = []RouteConfig{{ARN: pagerTopic, Receiver: "oncall"}}
	c := start(t, cfg)
	c.dispatch(action("1", pagerTopic, "cpu", alarm.StateAlarm))
	next(t, hook.requests)
	res := c.result()
	require.ErrorContains(t, res.Err, `receiver "oncall": slack[0]`)
	assert.NotEmpty(t, res.Message, "the webhook was told")
	assert.Empty(t, c.results)
}

func routeConfig(receiver string, more m) m {
	route := m{
		"receiver": receiver, "group_by": []any{"alarm_arn"}, "group_wait": "10ms", "group_interval": "10ms", "repeat_interval": "4h",
	}
	maps.Copy(route, more)
	return route
}

func TestSeverityRoutes(t *testing.T) {
	critical, other := record(t), record(t)
	cfg := fast(t)
	cfg.Alertmanager = m{
		"route": routeConfig("other", m{"routes": []any{m{"receiver": "critical", "matchers": []any{`severity="critical"`}}}}),
		"receivers": []any{
			m{"name": "critical", "webhook_configs": []any{m{"url": critical.URL}}},
			m{"name": "other", "webhook_configs": []any{m{"url": other.URL}}},
		},
	}
	c := start(t, cfg)
	warning := action("2", "", "disk", alarm.StateAlarm)
	warning.Labels["severity"] = "warning"
	c.dispatch(action("1", "", "cpu", alarm.StateAlarm), warning)
	assert.Equal(t, "cpu", next(t, critical.requests).decode(t)["commonLabels"].(m)["alertname"])
	assert.Equal(t, "disk", next(t, other.requests).decode(t)["commonLabels"].(m)["alertname"])
	require.NoError(t, c.result().Err)
	require.NoError(t, c.result().Err)

	c.dispatch(action("3", "", "cpu", alarm.StateOK))
	assert.Equal(t, "resolved", next(t, critical.requests).decode(t)["status"])

	// Without data an alarm that fires goes on firing, and something else is told as well.
	noData := action("4", "", "disk", alarm.StateInsufficientData)
	noData.Labels["severity"] = "warning"
	c.dispatch(noData)
	doc := next(t, other.requests).decode(t)
	assert.Equal(t, "firing", doc["status"])
	assert.Len(t, doc["alerts"], 2)
}

func TestGrouping(t *testing.T) {
	hook := record(t)
	cfg := fast(t)
	cfg.Alertmanager = m{
		"route":     routeConfig("hook", m{"group_by": []any{"namespace"}, "group_wait": "300ms"}),
		"receivers": []any{m{"name": "hook", "webhook_configs": []any{m{"url": hook.URL}}}},
	}
	c := start(t, cfg)
	c.dispatch(action("1", "", "a", alarm.StateAlarm), action("2", "", "b", alarm.StateAlarm), action("3", "", "c", alarm.StateAlarm))
	doc := next(t, hook.requests).decode(t)
	assert.Len(t, doc["alerts"], 3)
	assert.Equal(t, m{"namespace": "AWS/EC2"}, doc["groupLabels"])
}

func TestInhibition(t *testing.T) {
	hook := record(t)
	cfg := fast(t)
	cfg.Alertmanager = m{
		"route":     routeConfig("hook", nil),
		"receivers": []any{m{"name": "hook", "webhook_configs": []any{m{"url": hook.URL}}}},
		"inhibit_rules": []any{m{
			"source_matchers": []any{`severity="critical"`}, "target_matchers": []any{`severity=~"warning|info"`}, "equal": []any{"account", "region"},
		}},
	}
	cfg.Routes = []RouteConfig{{ARN: pagerTopic, Receiver: "hook"}}
	c := start(t, cfg)
	c.dispatch(action("1", "", "cpu", alarm.StateAlarm))
	next(t, hook.requests)
	require.NoError(t, c.result().Err)
	less := action("2", "", "disk", alarm.StateAlarm)
	less.Labels["severity"] = "warning"
	direct := less
	direct.ID, direct.Target = "3", pagerTopic
	c.dispatch(less, direct)
	for range 2 {
		if res := c.result(); res.ActionID == "3" {
			assert.Equal(t, "inhibited", res.Withheld)
		}
	}
	// The source ends, and with it what kept the other quiet.
	c.dispatch(action("4", "", "cpu", alarm.StateOK))
	names := map[any]bool{}
	for range 2 {
		names[next(t, hook.requests).decode(t)["commonLabels"].(m)["alertname"]] = true
	}
	assert.Equal(t, map[any]bool{"cpu": true, "disk": true}, names)
}

func (c *collector) alertmanager(method, path, body string) (status int, answer string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, "http://"+c.ext.Endpoint()+"/alertmanager"+path, strings.NewReader(body))
	require.NoError(c.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, resp.Body.Close()) }()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	require.NoError(c.t, err)
	return resp.StatusCode, b.String()
}

func TestSilences(t *testing.T) {
	hook := record(t)
	cfg := fast(t)
	cfg.Alertmanager = m{
		"route":     routeConfig("hook", nil),
		"receivers": []any{m{"name": "hook", "webhook_configs": []any{m{"url": hook.URL}}}},
	}
	cfg.Routes = []RouteConfig{{ARN: pagerTopic, Receiver: "hook"}}
	dir := t.TempDir()
	c := startIn(t, cfg, dir)
	now := time.Now().UTC()
	status, answer := c.alertmanager(http.MethodPost, "/api/v2/silences", `{"matchers":[{"name":"alertname","value":"cpu","isRegex":false,"isEqual":true}],`+
		`"startsAt":"`+now.Format(time.RFC3339)+`","endsAt":"`+now.Add(time.Hour).Format(time.RFC3339)+`","createdBy":"me","comment":"maintenance"}`)
	require.Equal(t, http.StatusOK, status, answer)
	status, answer = c.alertmanager(http.MethodPost, "/api/v2/alerts", `[]`)
	assert.Equal(t, http.StatusNotImplemented, status, answer)
	c.stop()

	c = startIn(t, cfg, dir) // silences are kept
	status, answer = c.alertmanager(http.MethodGet, "/api/v2/silences", "")
	require.Equal(t, http.StatusOK, status)
	assert.Contains(t, answer, `"comment":"maintenance"`)
	c.dispatch(action("1", pagerTopic, "cpu", alarm.StateAlarm), action("2", "", "cpu", alarm.StateAlarm), action("3", "", "disk", alarm.StateAlarm))
	assert.Equal(t, "disk", next(t, hook.requests).decode(t)["commonLabels"].(m)["alertname"])
	results := map[string]actions.Result{}
	for range 3 {
		r := c.result()
		results[r.ActionID] = r
	}
	assert.Equal(t, "silenced", results["1"].Withheld)
	assert.Empty(t, results["1"].Message)
	status, answer = c.alertmanager(http.MethodGet, "/api/v2/alerts?silenced=true", "")
	require.Equal(t, http.StatusOK, status)
	assert.Contains(t, answer, `"alertname":"cpu"`)
	status, answer = c.alertmanager(http.MethodGet, "/api/v2/status", "")
	require.Equal(t, http.StatusOK, status, answer)
	status, answer = c.alertmanager(http.MethodGet, "/metrics", "")
	require.Equal(t, http.StatusOK, status)
	assert.Contains(t, answer, "alertmanager_notifications_total")
	assert.Empty(t, hook.requests)
}

func TestGroupsSurviveRestart(t *testing.T) {
	hook := record(t)
	cfg := fast(t)
	cfg.Alertmanager = m{
		"route":     routeConfig("hook", nil),
		"receivers": []any{m{"name": "hook", "webhook_configs": []any{m{"url": hook.URL}}}},
	}
	dir := t.TempDir()
	c := startIn(t, cfg, dir)
	c.dispatch(action("1", "", "cpu", alarm.StateAlarm))
	assert.Equal(t, "firing", next(t, hook.requests).decode(t)["status"])
	next(t, c.results)
	// It is told again when it was not noted that it was told.
	require.Eventually(t, func() bool {
		v, err := c.ext.running.Load().store.Get(t.Context(), "notified/0")
		return err == nil && v != nil
	}, patience, time.Millisecond)
	c.stop()

	c = startIn(t, cfg, dir)
	// What was told is not told again, and the end of it is.
	c.dispatch(action("2", "", "disk", alarm.StateAlarm))
	assert.Equal(t, "disk", next(t, hook.requests).decode(t)["commonLabels"].(m)["alertname"])
	c.dispatch(action("3", "", "cpu", alarm.StateOK))
	doc := next(t, hook.requests).decode(t)
	assert.Equal(t, "resolved", doc["status"])
	assert.Equal(t, "cpu", doc["commonLabels"].(m)["alertname"])
}

func TestGuard(t *testing.T) {
	cfg := fast(t)
	cfg.Alertmanager = m{"receivers": []any{m{"name": "none"}}}
	c := start(t, cfg)
	url := "http://" + c.ext.Endpoint() + "/alertmanager/api/v2/status"
	for name, change := range map[string]func(*http.Request){
		"another site":    func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"origin":          func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"somebody's name": func(r *http.Request) { r.Host = "evil.example" },
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
			require.NoError(t, err)
			change(req)
			req.Close = true
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, http.StatusForbidden, resp.StatusCode)
		})
	}
	assert.False(t, fromLoopback("192.0.2.1:80"))
}

// TestStuckMailServer has a mail server that takes connections and says nothing.
func TestStuckMailServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	cfg := fast(t)
	cfg.Retry.Timeout = 50 * time.Millisecond
	cfg.Retry.MaxElapsedTime = 200 * time.Millisecond
	cfg.Alertmanager = m{
		"global":    m{"smtp_smarthost": l.Addr().String(), "smtp_from": "a@example.com", "smtp_require_tls": false},
		"receivers": []any{m{"name": "mail", "email_configs": []any{m{"to": "ops@example.com"}}}},
	}
	cfg.Routes = []RouteConfig{{ARN: pagerTopic, Receiver: "mail"}}
	c := start(t, cfg)
	c.dispatch(action("1", pagerTopic, "cpu", alarm.StateAlarm))
	require.ErrorContains(t, c.result().Err, "no answer in time")
	c.stop()
	require.NoError(t, l.Close())
	for { // what waits for the server has an end now
		conn, err := l.Accept()
		if err != nil {
			break
		}
		require.NoError(t, conn.Close())
	}
}

func TestStartFails(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, busy.Close()) }()
	missing := component.MustNewID("missing")
	for name, tt := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no storage": {func(c *Config) { c.Storage = &missing }, `extension "missing" not found: list it under service::extensions`},
		"port taken": {func(c *Config) { c.Endpoint = busy.Addr().String() }, "address already in use"},
		"template": {func(c *Config) {
			c.Alertmanager = m{"receivers": []any{m{"name": "a"}}, "templates": []any{"testdata/broken.tmpl"}}
		}, "read the templates"},
		"dead letters": {func(c *Config) { c.DeadLetter.File = "." }, "open the dead-letter file"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := fast(t)
			cfg.Storage = nil
			tt.change(cfg)
			ext, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), cfg)
			require.NoError(t, err)
			require.ErrorContains(t, ext.Start(t.Context(), host{}), tt.want)
			require.NoError(t, ext.Shutdown(t.Context()))
		})
	}
}
