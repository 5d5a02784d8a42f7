// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

type namedActions struct {
	path    string
	actions []string
}

func (d *Definition) actionLists() [3]namedActions {
	return [3]namedActions{
		{"alarmActions", d.AlarmActions}, {"oKActions", d.OKActions}, {"insufficientDataActions", d.InsufficientDataActions},
	}
}

func (c *constraints) actions(path string, actions []string) {
	c.atMost(path, shownList(actions), len(actions), maxActions)
	for _, action := range actions {
		if n := utf8.RuneCountInString(action); n < 1 || n > maxActionLength {
			c.fail(path, shownList(actions), "Member must satisfy constraint: [Member must have length less than or equal to "+
				strconv.Itoa(maxActionLength)+", Member must have length greater than or equal to 1]")
			break
		}
	}
}

func element(list string, i int) string { return list + "." + strconv.Itoa(i+1) + ".member" }

// Services that alarms act on.
const (
	serviceSNS         = "sns"
	serviceLambda      = "lambda"
	serviceAutoScaling = "autoscaling"
)

var actionServices = []string{
	"aiops", "automate", serviceAutoScaling, serviceLambda, serviceSNS, "ssm", "ssm-incidents", "swf",
}

// actionService is the service of an action's ARN, "" for what is none.
func actionService(action string) string {
	parts := strings.SplitN(action, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[1] == "" || parts[2] == "" || parts[5] == "" ||
		strings.ContainsAny(action, " \t\r\n") {
		return ""
	}
	return parts[2]
}

func validateAction(action string) error {
	switch service := actionService(action); {
	case service == "":
		return validationError("Invalid arn syntax: %s", action)
	case !slices.Contains(actionServices, service):
		return validationError("Unsupported AWS vendor %s", service)
	}
	return nil
}

// acts is whether one of the lists has an action of the service.
func (d *Definition) acts(service string) bool {
	for _, list := range d.actionLists() {
		for _, action := range list.actions {
			if actionService(action) == service {
				return true
			}
		}
	}
	return false
}

// validateContributorActions refuses actions that an alarm over many time series cannot have.
func validateContributorActions(d *Definition) error {
	if d.acts(serviceAutoScaling) {
		return validationError("Autoscaling actions are not available for Multi Time Series alarms")
	}
	for _, action := range d.InsufficientDataActions {
		switch actionService(action) {
		case serviceSNS, serviceLambda:
			return validationError(
				"InsufficientData actions are not supported for contributor-level action types in Multi Time Series alarms")
		}
	}
	return nil
}
