// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
)

//go:generate go run ./internal/modelgen models_gen.go

// model is what internal/modelgen reads from the SDK's sources for one service.
type model struct {
	operations []string
	noOutput   []string
	paths      map[string]string
	// names has the wire names, by Type.Field, that are not the field's name with the service's usual first letter.
	names  map[string]string
	errors map[string]errorModel
}

// errorModel is one modelled error.
type errorModel struct {
	query    string // awsQuery code, where it differs from the shape's name
	status   int
	message  string // name of the message's member, where known
	receiver bool
}

// description is what the SDK's sources do not say of a service.
type description struct {
	signingName, pkg string
	protocols        []Protocol
	targetPrefix     string
	version          string
	xmlNamespace     string
	// lower says that the service's members begin with a lower-case letter.
	lower bool
	// message is the name of the message's member in errors that are not modelled.
	message string
	// validation is the code of a failed constraint.
	validation string
	// serialization is the code of a request that cannot be read, "" for SerializationException.
	serialization string
	// throttled is the code of a refused rate.
	throttled string
	unsigned  []string
	// milliseconds is Service.MillisecondTimestamps.
	milliseconds bool
	maxBody      int64
	// errorNamespaces go before '#' in __type, by shape name; "" is the default.
	errorNamespaces map[string]string
	// statuses of errors where neither the SDK's sources nor the rule (400, 500) say it.
	statuses map[string]int
}

// The sizes of bodies that are accepted unless a Service says otherwise. Bodies of CloudWatch Logs hold up to
// 1 MiB of messages, which JSON's escapes may multiply by six.
const (
	defaultMaxBody    = 4 << 20
	defaultMaxBodyBig = 10 << 20
)

const (
	namespaceCloudWatch = "com.amazonaws.cloudwatch.v2010_08_01"
	namespaceService    = "com.amazon.coral.service"
	namespaceValidate   = "com.amazon.coral.validate"
)

var descriptions = []*description{
	{
		signingName: "monitoring", pkg: "cloudwatch",
		protocols:    []Protocol{ProtocolCBOR, ProtocolJSON10, ProtocolQuery},
		targetPrefix: "GraniteServiceVersion20100801",
		version:      "2010-08-01",
		xmlNamespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
		message:      "message", validation: "ValidationException", throttled: "ThrottlingException",
		maxBody: defaultMaxBody,
		errorNamespaces: map[string]string{
			"":                                     namespaceCloudWatch,
			"ValidationException":                  namespaceValidate,
			"InvalidParameterValueException":       namespaceService,
			"InvalidParameterCombinationException": namespaceService,
			"MissingRequiredParameterException":    namespaceService,
		},
	},
	{
		signingName: "logs", pkg: "cloudwatchlogs",
		protocols:    []Protocol{ProtocolJSON11},
		targetPrefix: "Logs_20140328",
		version:      "2014-03-28",
		lower:        true,
		message:      "message", validation: "InvalidParameterException", throttled: "ThrottlingException",
		maxBody:  defaultMaxBodyBig,
		statuses: map[string]int{"ServiceUnavailableException": http.StatusServiceUnavailable},
	},
	{
		signingName: "xray", pkg: "xray",
		protocols: []Protocol{ProtocolRESTJSON},
		version:   "2016-04-12",
		message:   "Message", validation: "InvalidRequestException", throttled: "ThrottledException",
		serialization: "InvalidRequestException",
		milliseconds:  true,
		maxBody:       defaultMaxBodyBig,
		statuses: map[string]int{
			"ThrottledException":        http.StatusTooManyRequests,
			"ResourceNotFoundException": http.StatusNotFound,
		},
	},
	{
		signingName: "events", pkg: "eventbridge",
		protocols:    []Protocol{ProtocolJSON11},
		targetPrefix: "AWSEvents",
		version:      "2015-10-07",
		message:      "message", validation: "ValidationException", throttled: "ThrottlingException",
		maxBody: defaultMaxBody,
	},
	{
		signingName: "cloudtrail", pkg: "cloudtrail",
		protocols:    []Protocol{ProtocolJSON11},
		targetPrefix: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
		version:      "2013-11-01",
		message:      "message", validation: "ValidationException", throttled: "ThrottlingException",
		maxBody: defaultMaxBody,
	},
	{
		signingName: "sns", pkg: "sns",
		protocols:    []Protocol{ProtocolQuery},
		version:      "2010-03-31",
		xmlNamespace: "http://sns.amazonaws.com/doc/2010-03-31/",
		message:      "message", validation: "ValidationException", throttled: "ThrottledException",
		maxBody: defaultMaxBody,
		statuses: map[string]int{
			"AuthorizationErrorException":        http.StatusForbidden,
			"FilterPolicyLimitExceededException": http.StatusForbidden,
			"InvalidSecurityException":           http.StatusForbidden,
			"NotFoundException":                  http.StatusNotFound,
			"ReplayLimitExceededException":       http.StatusForbidden,
			"ResourceNotFoundException":          http.StatusNotFound,
			"SubscriptionLimitExceededException": http.StatusForbidden,
			"ThrottledException":                 http.StatusTooManyRequests,
			"TopicLimitExceededException":        http.StatusForbidden,
		},
	},
	{
		signingName: "sts", pkg: "sts",
		protocols:    []Protocol{ProtocolQuery},
		version:      "2011-06-15",
		xmlNamespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		message:      "message", validation: "ValidationException", throttled: "ThrottlingException",
		unsigned: []string{"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"},
		maxBody:  defaultMaxBody,
		statuses: map[string]int{
			"IDPRejectedClaimException":                      http.StatusForbidden,
			"OutboundWebIdentityFederationDisabledException": http.StatusForbidden,
			"RegionDisabledException":                        http.StatusForbidden,
		},
	},
}

func descriptionOf(signingName string) (*description, bool) {
	i := slices.IndexFunc(descriptions, func(d *description) bool { return d.signingName == signingName })
	if i < 0 {
		return nil, false
	}
	return descriptions[i], true
}

func descriptionOfPackage(pkg string) (*description, bool) {
	i := slices.IndexFunc(descriptions, func(d *description) bool { return d.pkg == pkg })
	if i < 0 {
		return nil, false
	}
	return descriptions[i], true
}

// NewService returns the service of that signing name (monitoring, logs, xray, events, cloudtrail, sns or sts), with
// everything set but its operations. It panics on another name, because that is a mistake in the program.
func NewService(signingName string) *Service {
	d, ok := descriptionOf(signingName)
	if !ok {
		panic(fmt.Sprintf("awswire: no service is called %q", signingName))
	}
	m := models[signingName]
	s := &Service{
		SigningName:       d.signingName,
		Protocols:         slices.Clone(d.protocols),
		TargetPrefix:      d.targetPrefix,
		Version:           d.version,
		XMLNamespace:      d.xmlNamespace,
		ErrorNamespace:    make(map[string]string),
		QueryErrors:       make(map[string]QueryError),
		Known:             slices.Clone(m.operations),
		Paths:             make(map[string]string),
		defaultMaxBody:    d.maxBody,
		ValidationCode:    d.validation,
		ThrottlingCode:    d.throttled,
		SerializationCode: d.serialization,
		Unsigned:          slices.Clone(d.unsigned),
		MessageMember:     make(map[string]string),
		ErrorStatus:       make(map[string]int),
		noOutput:          make(map[string]bool),
		operations:        make(map[string]*Operation),

		MillisecondTimestamps: d.milliseconds,
	}
	maps.Copy(s.ErrorNamespace, d.errorNamespaces)
	maps.Copy(s.Paths, m.paths)
	for _, op := range m.noOutput {
		s.noOutput[op] = true
	}
	s.MessageMember[""] = d.message
	for code, e := range m.errors {
		status := e.status
		if v, ok := d.statuses[code]; ok {
			status = v
		}
		if status != 0 {
			s.ErrorStatus[code] = status
		}
		if e.message != "" {
			s.MessageMember[code] = e.message
		}
		if !slices.Contains(d.protocols, ProtocolQuery) {
			continue
		}
		q := QueryError{Code: e.query, Status: status}
		if q.Code == "" {
			q.Code = code
		}
		if q.Status == 0 {
			q.Status = http.StatusBadRequest
			if e.receiver {
				q.Status = http.StatusInternalServerError
			}
		}
		s.QueryErrors[code] = q
	}
	return s
}
