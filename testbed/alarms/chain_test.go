// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarms

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	highCPU   = "high-cpu"
	errorRate = "checkout-error-rate"
	throttled = "orders-throttled"
	trouble   = "shop-in-trouble"

	arnPrefix = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:"
)

// TestChain has the alarms of a shop live through an hour: created by boto3, and from Terraform with a collector that is
// started again twice, while alarms are in ALARM, and with a Slack that is out of order until the first of that.
func TestChain(t *testing.T) {
	var byHand, fromFile []described
	t.Run("boto3", func(t *testing.T) {
		r := listen(t)
		c := startChain(t, r.URL)
		python(t, c.aws, "create.py", r.URL+"/sns", "alarms")
		byHand = anHour(t, c, r, nil)
	})
	t.Run("Terraform", func(t *testing.T) {
		r := listen(t)
		dir, err := filepath.Abs(filepath.Join("testdata", "terraform"))
		require.NoError(t, err)
		c := startChain(t, r.URL, dir)
		python(t, c.aws, "create.py", r.URL+"/sns")
		fromFile = anHour(t, c, r, map[int]int{28: 5, 45: 13})
	})
	assert.Equal(t, byHand, fromFile, "the same alarms, but for their times")
}

// anHour feeds the metrics of an hour, minute by minute, and checks all that is to be seen of it. The collector is started
// again at some minutes, when so many actions have ended.
func anHour(t *testing.T, c *chain, r *receivers, restarts map[int]int) []described {
	t.Helper()
	r.eventually(t, "the subscription is confirmed", func() bool { return r.confirmed })
	f := newFeed(c)
	r.setDown(len(restarts) > 0)
	states := map[int]string{}
	for minute := range 60 {
		if ended, ok := restarts[minute]; ok {
			f.awaitActions(t, ended)
			r.eventually(t, "Slack was tried", func() bool { return r.refused > 2 || !r.down })
			c.restart(t)
			f = newFeed(c)
			r.setDown(false)
		}
		cpu, errors, throttles := 20.0, 2.0, 0.0
		if minute >= 10 && minute < 30 {
			cpu = 95
		}
		if minute >= 20 && minute < 30 || minute >= 41 && minute < 46 {
			errors = 30
		}
		if minute >= 40 && minute < 50 {
			throttles = 9
		}
		f.shop(t, minute, 200, errors)
		f.stream(t, minute, cpu, throttles)
		c.at(t, time.Duration(minute+1)*time.Minute)
		states[minute+1] = f.states(t)
	}
	// An alarm is evaluated once a minute, at a second of its own, and what is put less than ten seconds before is left to
	// the next time: at the end of a minute the one before has surely been judged.
	for _, want := range []struct {
		minute int
		states string
	}{
		{3, "high-cpu OK, checkout-error-rate OK, orders-throttled OK, shop-in-trouble OK"},
		{24, "high-cpu OK, checkout-error-rate ALARM, orders-throttled OK, shop-in-trouble OK"},
		{27, "high-cpu ALARM, checkout-error-rate ALARM, orders-throttled OK, shop-in-trouble ALARM"},
		{35, "high-cpu OK, checkout-error-rate OK, orders-throttled OK, shop-in-trouble OK"},
		{45, "high-cpu OK, checkout-error-rate ALARM, orders-throttled ALARM, shop-in-trouble ALARM"},
		{50, "high-cpu OK, checkout-error-rate OK, orders-throttled ALARM, shop-in-trouble OK"},
		{60, "high-cpu OK, checkout-error-rate OK, orders-throttled OK, shop-in-trouble OK"},
	} {
		assert.Equal(t, want.states, states[want.minute], "minute %d", want.minute)
	}
	checkSubscriber(t, c, r)
	checkReceivers(t, r)
	checkEvents(t, c)
	return checkDescriptions(t, c)
}

// feed is what a shop sends.
type feed struct {
	c      *chain
	client *cloudwatch.Client
}

func newFeed(c *chain) *feed { return &feed{c: c, client: cloudwatch.NewFromConfig(c.config())} }

// shop puts the counts of a minute with PutMetricData.
func (f *feed) shop(t *testing.T, minute int, requests, errors float64) {
	t.Helper()
	at := f.c.start.Add(time.Duration(minute) * time.Minute)
	datum := func(name string, value float64) types.MetricDatum {
		return types.MetricDatum{
			MetricName: &name, Value: &value, Timestamp: &at, Unit: types.StandardUnitCount,
			Dimensions: []types.Dimension{{Name: aws.String("Service"), Value: aws.String("checkout")}},
		}
	}
	_, err := f.client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{
		Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{datum("Requests", requests), datum("Errors", errors)},
	})
	require.NoError(t, err)
}

// stream delivers a minute of AWS's own metrics, which nobody else may put, as a metric stream does.
func (f *feed) stream(t *testing.T, minute int, cpu, throttles float64) {
	t.Helper()
	at := f.c.start.Add(time.Duration(minute) * time.Minute).UnixMilli()
	var lines bytes.Buffer
	point := func(namespace, name, unit string, dimensions map[string]string, value float64) {
		require.NoError(t, json.NewEncoder(&lines).Encode(object{
			"metric_stream_name": "all", "account_id": "000000000000", "region": "us-east-1", "namespace": namespace, "metric_name": name,
			"dimensions": dimensions, "timestamp": at, "value": object{"count": 1, "sum": value, "max": value, "min": value}, "unit": unit,
		}))
	}
	point("AWS/EC2", "CPUUtilization", "Percent", map[string]string{"InstanceId": "i-0123456789abcdef0"}, cpu)
	if throttles > 0 {
		point("AWS/DynamoDB", "ReadThrottleEvents", "Count", map[string]string{"TableName": "orders"}, throttles)
	}
	body, err := json.Marshal(object{
		"requestId": fmt.Sprintf("minute-%d", minute), "timestamp": at,
		"records": []object{{"data": base64.StdEncoding.EncodeToString(lines.Bytes())}},
	})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+f.c.Firehose+"/", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Amz-Firehose-Request-Id", fmt.Sprintf("minute-%d", minute))
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// states are those of all alarms.
func (f *feed) states(t *testing.T) string {
	t.Helper()
	out, err := f.client.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{
		AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm},
	})
	require.NoError(t, err)
	of := map[string]types.StateValue{}
	for _, a := range out.MetricAlarms {
		of[*a.AlarmName] = a.StateValue
	}
	for _, a := range out.CompositeAlarms {
		of[*a.AlarmName] = a.StateValue
	}
	var list []string
	for _, name := range []string{highCPU, errorRate, throttled, trouble} {
		list = append(list, name+" "+string(of[name]))
	}
	return strings.Join(list, ", ")
}

// awaitActions waits until history knows of so many actions: what is under way when a collector ends may come twice.
func (f *feed) awaitActions(t *testing.T, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		out, err := f.client.DescribeAlarmHistory(t.Context(), &cloudwatch.DescribeAlarmHistoryInput{
			HistoryItemType: types.HistoryItemTypeAction,
			AlarmTypes:      []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm},
		})
		return err == nil && len(out.AlarmHistoryItems) >= n
	}, patience, 10*time.Millisecond, "%d actions", n)
}
