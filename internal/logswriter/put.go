// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package logswriter

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"go.uber.org/zap"
)

// put makes one call. It makes the stream, and the group, when they are not there.
func (w *Writer) put(ctx context.Context, b *Batch, call []int, out *Outcome) error {
	in := cloudwatchlogs.PutLogEventsInput{
		LogGroupName: aws.String(b.Group), LogStreamName: aws.String(b.Stream),
		LogEvents: make([]types.InputLogEvent, len(call)),
	}
	for n, i := range call {
		in.LogEvents[n] = types.InputLogEvent{Timestamp: &b.Events[i].Timestamp, Message: &b.Events[i].Message}
	}
	answer, err := w.set.Client.PutLogEvents(ctx, &in, w.options)
	var absent *types.ResourceNotFoundException
	if errors.As(err, &absent) {
		if err = w.create(ctx, b.Group, b.Stream); err == nil {
			answer, err = w.set.Client.PutLogEvents(ctx, &in, w.options)
		}
	}
	var accepted *types.DataAlreadyAcceptedException
	switch {
	case errors.As(err, &accepted):
		return nil // an attempt that seemed to fail did not
	case err != nil:
		return fmt.Errorf("put events into log group %q, stream %q: %w", b.Group, b.Stream, err)
	}
	w.retain(ctx, b.Group)
	if info := answer.RejectedLogEventsInfo; info != nil {
		countRejected(info, len(call), out)
	}
	return nil
}

// countRejected reads the answer's indices: those of old events end a part of the call, that of new ones begins one.
func countRejected(info *types.RejectedLogEventsInfo, n int, out *Outcome) {
	old, expired, young := 0, 0, n
	if i := info.TooOldLogEventEndIndex; i != nil {
		old = min(max(int(*i), 0), n)
	}
	if i := info.ExpiredLogEventEndIndex; i != nil {
		expired = min(max(int(*i), 0), n)
	}
	if i := info.TooNewLogEventStartIndex; i != nil {
		young = min(max(int(*i), 0), n)
	}
	out.reject(ReasonTooOld, old)
	out.reject(ReasonExpired, expired-old)
	out.reject(ReasonTooNew, n-young)
}

func (w *Writer) options(o *cloudwatchlogs.Options) {
	if w.set.Format != "" {
		o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue("x-amzn-logs-format", w.set.Format))
	}
}

// create makes the stream, and before it the group when that is missing. Others may be making them, too.
func (w *Writer) create(ctx context.Context, group, stream string) error {
	err := w.createStream(ctx, group, stream)
	var absent *types.ResourceNotFoundException
	if !errors.As(err, &absent) {
		return err
	}
	_, err = w.set.Client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group), Tags: w.set.Tags})
	var exists *types.ResourceAlreadyExistsException
	switch {
	case err == nil:
		w.set.Logger.Info("log group made", zap.String("log_group", group))
		w.owe(group)
	case !errors.As(err, &exists):
		return fmt.Errorf("create log group %q: %w", group, err)
	}
	return w.createStream(ctx, group, stream)
}

func (w *Writer) createStream(ctx context.Context, group, stream string) error {
	_, err := w.set.Client.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{
		LogGroupName: aws.String(group), LogStreamName: aws.String(stream),
	})
	var exists *types.ResourceAlreadyExistsException
	if err == nil || errors.As(err, &exists) {
		return nil
	}
	return fmt.Errorf("create log stream %q in %q: %w", stream, group, err)
}

// owe remembers that the group has to get its retention.
func (w *Writer) owe(group string) {
	if w.set.RetentionDays == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unretained[group] = true
}

// retain sets the retention of a group that the writer made. Events do not wait for it: when it fails, it is tried with
// the next ones.
func (w *Writer) retain(ctx context.Context, group string) {
	w.mu.Lock()
	owed := w.unretained[group]
	delete(w.unretained, group)
	w.mu.Unlock()
	if !owed {
		return
	}
	_, err := w.set.Client.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{
		LogGroupName: aws.String(group), RetentionInDays: aws.Int32(w.set.RetentionDays),
	})
	if err != nil {
		w.owe(group)
		w.set.Logger.Warn("the retention of a log group could not be set, it will be tried again",
			zap.String("log_group", group), zap.Error(err))
	}
}
