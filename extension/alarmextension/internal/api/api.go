// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/nephoscope/nephoscope/extension/alarmextension/internal/service"
	"github.com/nephoscope/nephoscope/internal/awsservice"
	"github.com/nephoscope/nephoscope/pkg/alarm"
	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// API has the operations.
type API struct {
	// Service returns what runs, nil when nothing does.
	Service func() *service.Service
}

// Add adds the operations to the service "monitoring". Those that are not here, PutLogAlarm among them, are answered by name
// as not implemented.
func (a *API) Add(w *awswire.Service) {
	awswire.HandleNoOutput(w, "PutMetricAlarm", with(a, (*operations).putMetricAlarm))
	awswire.HandleNoOutput(w, "PutCompositeAlarm", with(a, (*operations).putCompositeAlarm))
	awswire.HandleNoOutput(w, "DeleteAlarms", with(a, (*operations).deleteAlarms))
	awswire.HandleNoOutput(w, "SetAlarmState", with(a, (*operations).setAlarmState))
	awswire.HandleNoOutput(w, "EnableAlarmActions", with(a, (*operations).enableAlarmActions))
	awswire.HandleNoOutput(w, "DisableAlarmActions", with(a, (*operations).disableAlarmActions))
	awswire.Handle(w, "DescribeAlarms", returning(a, (*operations).describeAlarms))
	awswire.Handle(w, "DescribeAlarmsForMetric", returning(a, (*operations).describeAlarmsForMetric))
	awswire.Handle(w, "DescribeAlarmHistory", returning(a, (*operations).describeAlarmHistory))
	awswire.Handle(w, "DescribeAlarmContributors", returning(a, (*operations).describeAlarmContributors))
	awswire.HandleNoOutput(w, "PutAlarmMuteRule", with(a, (*operations).putAlarmMuteRule))
	awswire.HandleNoOutput(w, "DeleteAlarmMuteRule", with(a, (*operations).deleteAlarmMuteRule))
	awswire.Handle(w, "GetAlarmMuteRule", returning(a, (*operations).getAlarmMuteRule))
	awswire.Handle(w, "ListAlarmMuteRules", returning(a, (*operations).listAlarmMuteRules))
	awsservice.HandleMonitoringTags(w, a)
}

// operations are the operations for one tenant.
type operations struct {
	*service.Service
	tenant cloudwatch.Tenant
}

func (a *API) operations(ctx context.Context) (*operations, error) {
	s := a.Service()
	req := awswire.RequestFrom(ctx)
	if s == nil || req == nil {
		return nil, awswire.Unavailable("The alarm extension is not running.")
	}
	return &operations{s, cloudwatch.Tenant{Account: req.Account, Region: req.Region}}, nil
}

// with makes an operation of a function that has nothing to answer.
func with[I any](a *API, f func(*operations, context.Context, *I) error) func(context.Context, *I) error {
	return func(ctx context.Context, in *I) error {
		o, err := a.operations(ctx)
		if err != nil {
			return err
		}
		return wire(f(o, ctx, in))
	}
}

// returning makes an operation of a function.
func returning[I, O any](a *API, f func(*operations, context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		o, err := a.operations(ctx)
		if err != nil {
			return nil, err
		}
		out, err := f(o, ctx, in)
		return out, wire(err)
	}
}

// shapes are the names of errors in the model, and their statuses, by what alarms call them.
var shapes = map[string]awswire.Error{
	"ValidationError":             {Code: "ValidationException"},
	"InvalidParameterValue":       {Code: "InvalidParameterValueException"},
	"InvalidParameterCombination": {Code: "InvalidParameterCombinationException"},
	"MissingParameter":            {Code: "MissingRequiredParameterException"},
	"ResourceNotFound":            {Code: "ResourceNotFound", Status: http.StatusNotFound},
	"InvalidFormat":               {Code: "InvalidFormatFault"},
	"AccessDenied":                {Code: "AccessDeniedException", Status: http.StatusForbidden},
	"LimitExceeded":               {Code: "LimitExceededFault"},
}

// wire makes an error one that clients are told of.
func wire(err error) error {
	var refused *alarm.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		e, ok := shapes[refused.Code]
		if !ok {
			e.Code = refused.Code
		}
		e.Message = refused.Message
		return &e
	case errors.Is(err, service.ErrStorage):
		return awswire.Unavailable("Alarms cannot be stored for now.")
	}
	return err
}

func validationError(message string) error {
	return &awswire.Error{Code: "ValidationException", Message: message}
}

func exclusive(a, b string) error {
	return &awswire.Error{
		Code:    "InvalidParameterCombinationException",
		Message: "The parameters " + a + " and " + b + " are mutually exclusive and you have specified both.",
	}
}

func invalidToken(token string) error {
	return &awswire.Error{Code: "InvalidNextToken", Message: "Invalid NextToken : " + token}
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
