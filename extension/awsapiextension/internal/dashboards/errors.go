// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"fmt"
	"net/http"
	"regexp"

	"github.com/nephoscope/nephoscope/pkg/awswire"
)

// Shape names of CloudWatch's errors.
const (
	codeInvalidValue = "InvalidParameterValueException"
	codeInvalidInput = "DashboardInvalidInputError"
	codeNotFound     = "DashboardNotFoundError"
	codeValidation   = "ValidationException"
	codeLimit        = "LimitExceededFault"
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_-]*$`)

const maxName = 255

// invalidValue is the error of a parameter. CloudWatch ends these messages with a new line.
func invalidValue(format string, args ...any) error {
	return &awswire.Error{Code: codeInvalidValue, Message: fmt.Sprintf(format, args...) + "\n"}
}

// checkName checks the characters and length of a dashboard's name, or of a prefix of one.
func checkName(field, name string) error {
	switch {
	case !namePattern.MatchString(name):
		return invalidValue("The value for field %s contains invalid characters. It can only contain alphanumerics, "+
			"dash (-) and underscore (_).", field)
	case len(name) > maxName:
		return invalidValue("The value for field %s is too long. It must have length less than or equal to %d.", field, maxName)
	}
	return nil
}

// requiredName checks the name of one dashboard.
func requiredName(name *string) (string, error) {
	if deref(name) == "" {
		return "", invalidValue("The parameter DashboardName is required.")
	}
	return *name, checkName("DashboardName", *name)
}

func notFound(name string) error {
	return &awswire.Error{Code: codeNotFound, Message: "Dashboard " + name + " does not exist", Status: http.StatusNotFound}
}

// checkListed checks a name of a list.
func checkListed(i int, name string) error {
	field := fmt.Sprintf("DashboardNames[%d]", i)
	if name == "" {
		return invalidValue("The value for field %s contains invalid characters. It can only contain alphanumerics, "+
			"dash (-) and underscore (_).", field)
	}
	return checkName(field, name)
}
