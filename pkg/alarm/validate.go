// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"strings"
	"unicode/utf8"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// Limits of a definition.
const (
	maxNameLength        = 255
	maxDescriptionLength = 1024
	maxActions           = 5
	maxActionLength      = 1024
	maxTags              = 50
	maxTagKeyLength      = 128
	maxTagValueLength    = 256
	maxRuleLength        = 10240
)

// Validate checks a definition as PutMetricAlarm and PutCompositeAlarm do. The error is an [Error]. Whether the alarms exist
// that a composite alarm names is not looked at, nor are tags, which a Put of an alarm that exists ignores: see
// [ValidateTags].
func Validate(d *Definition) error {
	if (d.Metric == nil) == (d.Composite == nil) {
		return validationError("An alarm is either a metric alarm or a composite alarm.")
	}
	var c constraints
	c.length("alarmName", d.Name, 1, maxNameLength)
	if d.Description != nil {
		c.length("alarmDescription", *d.Description, 0, maxDescriptionLength)
	}
	for _, list := range d.actionLists() {
		c.actions(list.path, list.actions)
	}
	if d.Metric != nil {
		c.metricAlarm(d.Metric)
	} else {
		c.compositeAlarm(d.Composite)
	}
	if err := c.err(); err != nil {
		return err
	}
	if err := validateName(d.Name); err != nil {
		return err
	}
	for _, list := range d.actionLists() {
		for _, action := range list.actions {
			if err := validateAction(action); err != nil {
				return err
			}
		}
	}
	if d.Composite != nil {
		return validateComposite(d)
	}
	return validateMetric(d)
}

// validateName refuses what an ARN or a message could not hold.
func validateName(name string) error {
	if !utf8.ValidString(name) {
		return validationError("AlarmName must contain only UTF-8 characters")
	}
	for i := range len(name) {
		if name[i] < ' ' || name[i] == 0x7f {
			return validationError("AlarmName must not contain ASCII Control characters")
		}
	}
	return nil
}

// ValidateTags checks the tags of an alarm that is created.
func ValidateTags(tags []Tag) error {
	var c constraints
	if len(tags) > maxTags {
		keys := make([]string, len(tags))
		for i := range tags {
			keys[i] = tags[i].Key
		}
		c.atMost("tags", shownList(keys), len(tags), maxTags)
	}
	for i := range tags {
		path := element("tags", i)
		c.length(path+".key", tags[i].Key, 1, maxTagKeyLength)
		c.length(path+".value", tags[i].Value, 0, maxTagValueLength)
	}
	if err := c.err(); err != nil {
		return err
	}
	for i := range tags {
		if key := tags[i].Key; len(key) >= 4 && strings.EqualFold(key[:4], "aws:") {
			return &Error{Code: codeDenied, Message: `The provided tag keys must not start with any case of "aws:"`}
		}
	}
	return nil
}

func (c *constraints) compositeAlarm(a *CompositeAlarm) {
	c.length("alarmRule", a.Rule, 1, maxRuleLength)
	if a.ActionsSuppressor != "" {
		c.length("actionsSuppressor", a.ActionsSuppressor, 1, 1600)
	}
}

func validateComposite(d *Definition) error {
	a := d.Composite
	if a.ActionsSuppressor == "" {
		switch {
		case a.WaitPeriod != nil:
			return validationError("ActionsSuppressorWaitPeriod requires an ActionSuppressor")
		case a.ExtensionPeriod != nil:
			return validationError("ActionsSuppressorExtensionPeriod requires an ActionSuppressor")
		}
	} else if err := validateSuppressor(d); err != nil {
		return err
	}
	// Nobody's rule: what ARNs of other accounts and regions mean is found when it is known whose alarm it is.
	nobody := cloudwatch.Tenant{}
	rule, err := ParseCompositeRule(a.Rule, nobody)
	if err != nil {
		return err
	}
	if rule.names(ARN(nobody, d.Name)) {
		return errSelfReference
	}
	return nil
}

func validateSuppressor(d *Definition) error {
	a := d.Composite
	switch {
	case a.WaitPeriod == nil:
		return validationError("ActionsSuppressorWaitPeriod must not be null")
	case a.ExtensionPeriod == nil:
		return validationError("ActionsSuppressorExtensionPeriod must not be null")
	case *a.WaitPeriod < 0:
		return validationError("ActionsSuppressorWaitPeriod must not be negative")
	case *a.ExtensionPeriod < 0:
		return validationError("ActionsSuppressorExtensionPeriod must not be negative")
	}
	switch _, _, ok := ParseARN(a.ActionsSuppressor); {
	case !ok && strings.HasPrefix(a.ActionsSuppressor, "arn:"):
		return validationError("ActionsSuppressor must be a valid CloudWatch Alarm ARN or an Alarm name")
	case a.ActionsSuppressor == d.Name:
		return validationError("A composite alarm cannot be its own ActionsSuppressor")
	}
	return nil
}

var errSelfReference = &Error{Code: codeValidation, Message: "A composite alarm cannot have a child relation with itself via its " +
	"AlarmRule, as it would introduce a circular dependency"}
