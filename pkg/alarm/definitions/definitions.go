// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"cmp"

	"github.com/nephoscope/nephoscope/pkg/alarm"
)

// Limits of what is read.
const (
	// MaxFileBytes is how long a file may be.
	MaxFileBytes = 16 << 20
	// MaxFiles is how many files are read together.
	MaxFiles = 1_000
	// MaxAlarms is how many alarms and mute rules all files together may define.
	MaxAlarms = 100_000
)

// Settings are what the files do not say themselves.
type Settings struct {
	// Account and Region are whose the alarms are; 000000000000 and us-east-1 when they are not set.
	Account, Region string
	// Partition is "aws" when it is not set.
	Partition string
	// StackName names the CloudFormation stack; "stack" when it is not set.
	StackName string
	// Parameters are those of CloudFormation templates. Each must be declared by at least one.
	Parameters map[string]string
	// Variables are those of Terraform: the text of the value for a string, an expression for everything else. Each must
	// be declared by at least one module.
	Variables map[string]string
	// VariableFiles are .tfvars and .tfvars.json files, later ones win. terraform.tfvars and *.auto.tfvars beside the
	// .tf files are read without being named.
	VariableFiles []string
	// Values are what only a deployment knows, by how the files refer to it: LoadBalancer or
	// LoadBalancer.LoadBalancerFullName in CloudFormation, aws_lb.web.arn_suffix, data.aws_vpc.main.id or module.web.name
	// in Terraform.
	Values map[string]string
}

func (s Settings) withDefaults() Settings {
	s.Account = cmp.Or(s.Account, "000000000000")
	s.Region = cmp.Or(s.Region, "us-east-1")
	s.Partition = cmp.Or(s.Partition, "aws")
	s.StackName = cmp.Or(s.StackName, "stack")
	return s
}

// Format is the kind of a source of definitions.
type Format string

// The formats.
const (
	FormatNative         Format = "native"
	FormatCloudFormation Format = "CloudFormation"
	FormatTerraform      Format = "Terraform"
	FormatDescribeAlarms Format = "describe-alarms"
)

// Source is where a definition stands.
type Source struct {
	File   string
	Line   int // 1 is the first one
	Format Format
	// Name is what the file calls it: the logical id, aws_cloudwatch_metric_alarm.cpu["a"], Alarms[3].
	Name string
}

// Definition is an alarm and where it was read.
type Definition struct {
	Alarm  *alarm.Definition
	Source Source
}

// Note is something that an alarm of the files may depend on and that was not followed, such as a Terraform module.
type Note struct {
	File string
	Line int
	Text string
}
