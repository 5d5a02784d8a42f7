// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package notificationextension

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nephoscope/nephoscope/extension/notificationextension/internal/deadletter"
	"github.com/nephoscope/nephoscope/internal/actions"
	"github.com/nephoscope/nephoscope/pkg/alarm"
)

func hookConfig(tb testing.TB, url string) *Config {
	tb.Helper()
	cfg := fast(tb)
	cfg.Alertmanager = m{"receivers": []any{m{"name": "hook", "webhook_configs": []any{m{"url": url}}}}}
	cfg.Routes = []RouteConfig{{ARN: pagerTopic, Receiver: "hook"}}
	return cfg
}

func TestRestartBetweenRetries(t *testing.T) {
	hook := record(t)
	hook.answerWith(http.StatusServiceUnavailable, "")
	cfg := hookConfig(t, hook.URL)
	dir := t.TempDir()
	c := startIn(t, cfg, dir)
	topic := c.topic("alerts")
	r := record(t)
	arn := c.subscribe(topic, r, map[string]string{
		"DeliveryPolicy": `{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":100}}`,
	})
	r.answerWith(http.StatusServiceUnavailable, "")
	c.dispatch(action("1", pagerTopic, "cpu", alarm.StateAlarm), action("2", pagerTopic, "cpu", alarm.StateOK), action("3", topic, "cpu", alarm.StateAlarm))
	for range 3 {
		next(t, hook.requests)
		next(t, r.requests)
	}
	assert.Equal(t, "3", c.result().ActionID) // it is published; its deliveries are on their own
	c.stop()

	hook.answerWith(http.StatusOK, "")
	r.answerWith(http.StatusOK, "")
	for len(hook.requests) > 0 {
		<-hook.requests
	}
	for len(r.requests) > 0 {
		<-r.requests
	}
	c = startIn(t, cfg, dir)
	// In the order of the states. An attempt that the stop has cut off may have arrived all the same.
	status := next(t, hook.requests).decode(t)["status"]
	require.Equal(t, "firing", status)
	for status == "firing" {
		status = next(t, hook.requests).decode(t)["status"]
	}
	assert.Equal(t, "resolved", status)
	for _, id := range []string{"1", "2"} {
		res := c.result()
		assert.Equal(t, id, res.ActionID)
		require.NoError(t, res.Err)
	}
	req := next(t, r.requests)
	assert.Equal(t, arn, req.header.Get("x-amz-sns-subscription-arn"))
	verify(t, req.envelopeAt(t, c))
	// What was accepted before the restart is known after it.
	c.dispatch(action("1", pagerTopic, "cpu", alarm.StateAlarm))
	c.dispatch(action("4", pagerTopic, "cpu", alarm.StateAlarm))
	assert.Equal(t, "4", c.result().ActionID)
}

func TestDeadLetters(t *testing.T) {
	hook := record(t)
	hook.answerWith(http.StatusInternalServerError, "")
	cfg := hookConfig(t, hook.URL)
	cfg.DeadLetter.File = filepath.Join(t.TempDir(), "sub", "dead.jsonl")
	cfg.Retry.MaxElapsedTime = 100 * time.Millisecond
	c := start(t, cfg)
	c.dispatch(action("1", pagerTopic, "cpu", alarm.StateAlarm))
	res := c.result()
	require.ErrorContains(t, res.Err, "webhook[0]")
	assert.Greater(t, len(hook.requests), 1)

	topic := c.topic("alerts")
	r := record(t)
	c.subscribe(topic, r, nil)
	r.answerWith(http.StatusBadRequest, "")
	c.dispatch(action("2", topic, "cpu", alarm.StateAlarm))
	require.NoError(t, c.result().Err)
	next(t, r.requests)
	c.dispatch(action("3", "arn:aws:automate:eu-west-1:ec2:stop", "cpu", alarm.StateAlarm))
	require.Error(t, c.result().Err)
	var letters []deadletter.Letter
	require.Eventually(t, func() bool {
		letters = readLetters(t, cfg.DeadLetter.File)
		return len(letters) == 3
	}, patience, time.Millisecond)
	byKind := map[string]deadletter.Letter{}
	for _, l := range letters {
		byKind[l.Kind] = l
	}
	assert.Equal(t, "1", byKind["receiver"].Action)
	assert.Greater(t, byKind["receiver"].Attempts, 1)
	assert.Contains(t, string(byKind["receiver"].Body), `"AlarmName":"cpu"`)
	assert.Contains(t, byKind["sns_http"].Error, "400 Bad Request")
	assert.Contains(t, byKind["unknown"].Error, "arn:aws:automate:eu-west-1:ec2:stop")
}

func TestSlowTargetDelaysNobody(t *testing.T) {
	slow, quick := record(t), record(t)
	release := make(chan struct{})
	slow.answerBy(func(request) (int, string) {
		<-release
		return http.StatusOK, ""
	})
	cfg := fast(t)
	cfg.Queue.MaxConcurrent, cfg.Queue.MaxConcurrentPerTarget = 4, 2
	cfg.Alertmanager = m{"receivers": []any{
		m{"name": "slow", "webhook_configs": []any{m{"url": slow.URL}}},
		m{"name": "quick", "webhook_configs": []any{m{"url": quick.URL}}},
	}}
	const quickTopic = pagerTopic + "-quick"
	cfg.Routes = []RouteConfig{{ARN: pagerTopic, Receiver: "slow"}, {ARN: quickTopic, Receiver: "quick"}}
	c := start(t, cfg)
	for i := range 20 {
		c.dispatch(action("slow"+strconv.Itoa(i), pagerTopic, "cpu"+strconv.Itoa(i), alarm.StateAlarm))
	}
	for i := range 20 {
		c.dispatch(action("quick"+strconv.Itoa(i), quickTopic, "cpu"+strconv.Itoa(i), alarm.StateAlarm))
	}
	for range 20 {
		assert.True(t, strings.HasPrefix(c.result().ActionID, "quick"))
	}
	close(release)
	for range 20 {
		assert.True(t, strings.HasPrefix(c.result().ActionID, "slow"))
	}
}

func TestFullQueue(t *testing.T) {
	hook := record(t)
	hook.answerWith(http.StatusInternalServerError, "")
	cfg := hookConfig(t, hook.URL)
	cfg.Queue.MaxItems = 3
	c := start(t, cfg)
	list := []actions.Action{}
	for i := range 4 {
		list = append(list, action(strconv.Itoa(i), pagerTopic, "cpu"+strconv.Itoa(i), alarm.StateAlarm))
	}
	require.ErrorContains(t, c.ext.Dispatch(t.Context(), list), "the queue is full")
	// What fits was taken, so that a list that is longer than the queue comes to an end.
	require.Eventually(t, func() bool {
		items, _ := c.ext.running.Load().queue.Depth()
		return items == 3
	}, patience, time.Millisecond)
	c.dispatch(list[:3]...)
	require.Error(t, c.ext.Dispatch(t.Context(), list[3:]))
	// What was refused is not remembered as accepted.
	hook.answerWith(http.StatusOK, "")
	for range 3 {
		require.NoError(t, c.result().Err)
	}
	c.dispatch(list...)
	assert.Equal(t, "3", c.result().ActionID)
}

func TestEveryActionHasOneResult(t *testing.T) {
	hook, r := record(t), record(t)
	n := 0
	hook.answerBy(func(request) (int, string) {
		if n++; n%3 == 0 {
			return http.StatusBadGateway, ""
		}
		return http.StatusOK, ""
	})
	cfg := hookConfig(t, hook.URL)
	c := start(t, cfg)
	topic := c.topic("alerts")
	c.subscribe(topic, r, nil)
	const alarms = 300
	want := map[string]bool{}
	for i := range alarms {
		name := "cpu" + strconv.Itoa(i)
		id := strconv.Itoa(i)
		c.dispatch(action("r"+id, pagerTopic, name, alarm.StateAlarm), action("t"+id, topic, name, alarm.StateAlarm),
			action("u"+id, "arn:aws:lambda:eu-west-1:1:function:f", name, alarm.StateAlarm), action("a"+id, "", name, alarm.StateAlarm))
		for _, kind := range []string{"r", "t", "u", "a"} {
			want[kind+id] = true
		}
	}
	failed := 0
	for range 4 * alarms {
		res := c.result()
		require.True(t, want[res.ActionID], res.ActionID)
		delete(want, res.ActionID)
		if res.Err != nil {
			failed++
		}
	}
	assert.Empty(t, want)
	assert.Equal(t, alarms, failed)
	for range alarms {
		next(t, r.requests)
	}
	require.Eventually(t, func() bool {
		items, size := c.ext.running.Load().queue.Depth()
		return items == 0 && size == 0
	}, patience, time.Millisecond)
}

// TestKilled kills a collector that dispatches. Everything that it had accepted is delivered by the next one.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("NEPHOSCOPE_TEST_DISPATCH"); dir != "" {
		dispatchForever(t, dir, os.Getenv("NEPHOSCOPE_TEST_URL"))
		return
	}
	hook := record(t)
	delivered := map[string]bool{}
	n := 0
	taken := func(r request) (int, string) {
		delivered[r.decode(t)["commonLabels"].(m)["alertname"].(string)] = true
		return http.StatusOK, ""
	}
	hook.answerBy(func(r request) (int, string) {
		if n++; n%2 == 0 {
			return http.StatusServiceUnavailable, ""
		}
		return taken(r)
	})
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$", "-test.v")
	cmd.Env = append(os.Environ(), "NEPHOSCOPE_TEST_DISPATCH="+dir, "NEPHOSCOPE_TEST_URL="+hook.URL)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	accepted := map[string]bool{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if id, ok := strings.CutPrefix(lines.Text(), "accepted "); ok {
			accepted[id] = true
		}
		if len(accepted) == 200 {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	require.Error(t, cmd.Wait())
	require.GreaterOrEqual(t, len(accepted), 200)

	hook.answerBy(taken)
	c := startIn(t, hookConfig(t, hook.URL), dir)
	require.Eventually(t, func() bool {
		items, _ := c.ext.running.Load().queue.Depth()
		return items == 0
	}, patience, time.Millisecond)
	hook.answerWith(http.StatusOK, "")
	for id := range accepted {
		assert.True(t, delivered[id], "action %s was lost", id)
	}
}

func dispatchForever(t *testing.T, dir, url string) {
	t.Helper()
	c := startIn(t, hookConfig(t, url), dir)
	for i := range 100_000 {
		id := strconv.Itoa(i)
		c.dispatch(action(id, pagerTopic, id, alarm.StateAlarm))
		fmt.Println("accepted " + id)
	}
}

func readLetters(t *testing.T, path string) []deadletter.Letter {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	var out []deadletter.Letter
	for line := range strings.Lines(string(text)) {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		var l deadletter.Letter
		require.NoError(t, unmarshal(line, &l))
		out = append(out, l)
	}
	return out
}
