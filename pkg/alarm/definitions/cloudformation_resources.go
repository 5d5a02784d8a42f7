// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package definitions

import (
	"slices"
	"strings"
)

// kindOfResource is how resources of a type are called in AWS.
type kindOfResource struct {
	// name is the property of the resource's name.
	name string
	// service and path make the ARN: the name follows the path.
	service, path string
	// global ARNs have no region, and accountless ones no account either.
	global, accountless bool
	// refARN is set when Ref is the ARN, not the name.
	refARN bool
	// arns and names are the attributes that are the ARN and the name.
	arns, names []string
}

var arnAttribute = []string{"Arn"}

// kindsOfResources are what actions and dimensions of alarms refer to.
var kindsOfResources = map[string]kindOfResource{
	"AWS::SNS::Topic":                            {name: "TopicName", service: "sns", refARN: true, arns: []string{"TopicArn"}, names: []string{"TopicName"}},
	"AWS::SQS::Queue":                            {name: "QueueName", service: "sqs", arns: arnAttribute, names: []string{"QueueName"}},
	"AWS::Lambda::Function":                      {name: "FunctionName", service: "lambda", path: "function:", arns: arnAttribute},
	"AWS::Serverless::Function":                  {name: "FunctionName", service: "lambda", path: "function:", arns: arnAttribute},
	"AWS::DynamoDB::Table":                       {name: "TableName", service: "dynamodb", path: "table/", arns: arnAttribute},
	"AWS::DynamoDB::GlobalTable":                 {name: "TableName", service: "dynamodb", path: "table/", arns: arnAttribute},
	"AWS::Serverless::SimpleTable":               {name: "TableName", service: "dynamodb", path: "table/", arns: arnAttribute},
	"AWS::Kinesis::Stream":                       {name: "Name", service: "kinesis", path: "stream/", arns: arnAttribute},
	"AWS::KinesisFirehose::DeliveryStream":       {name: "DeliveryStreamName", service: "firehose", path: "deliverystream/", arns: arnAttribute},
	"AWS::Logs::LogGroup":                        {name: "LogGroupName", service: "logs", path: "log-group:"},
	"AWS::S3::Bucket":                            {name: "BucketName", service: "s3", accountless: true, arns: arnAttribute},
	"AWS::StepFunctions::StateMachine":           {name: "StateMachineName", service: "states", path: "stateMachine:", refARN: true, arns: arnAttribute, names: []string{"Name"}},
	"AWS::Serverless::StateMachine":              {name: "Name", service: "states", path: "stateMachine:", refARN: true, arns: arnAttribute, names: []string{"Name"}},
	"AWS::ECS::Cluster":                          {name: "ClusterName", service: "ecs", path: "cluster/", arns: arnAttribute},
	"AWS::RDS::DBInstance":                       {name: "DBInstanceIdentifier", service: "rds", path: "db:", arns: []string{"DBInstanceArn"}},
	"AWS::RDS::DBCluster":                        {name: "DBClusterIdentifier", service: "rds", path: "cluster:", arns: []string{"DBClusterArn"}},
	"AWS::ElastiCache::CacheCluster":             {name: "ClusterName", service: "elasticache", path: "cluster:"},
	"AWS::AutoScaling::AutoScalingGroup":         {name: "AutoScalingGroupName"},
	"AWS::Events::Rule":                          {name: "Name", service: "events", path: "rule/", arns: arnAttribute},
	"AWS::SSMIncidents::ResponsePlan":            {name: "Name", service: "ssm-incidents", path: "response-plan/", global: true, refARN: true, arns: arnAttribute},
	"AWS::ApplicationAutoScaling::ScalingPolicy": {name: "PolicyName", service: "autoscaling", path: "scalingPolicy:" + zeroUUID + ":resource/stack:policyName/", refARN: true, arns: arnAttribute, names: []string{"PolicyName"}},
	"AWS::AutoScaling::ScalingPolicy":            {name: "PolicyName", service: "autoscaling", path: "scalingPolicy:" + zeroUUID + ":autoScalingGroupName/stack:policyName/", refARN: true, arns: arnAttribute, names: []string{"PolicyName"}},
	typeMetricAlarm:                              {name: "AlarmName", service: "cloudwatch", path: "alarm:", arns: arnAttribute},
	typeCompositeAlarm:                           {name: "AlarmName", service: "cloudwatch", path: "alarm:", arns: arnAttribute},
}

func (t *template) resourceName(r *resource, k *kindOfResource) (string, error) {
	v := r.properties.get(k.name)
	if v == nil || v.kind == kindNull {
		return t.physicalName(r.id), nil
	}
	// A name that refers to a resource that refers back is an error of the template.
	if t.open[r.id+"."+k.name] {
		return "", cannot(v.line, "%s of %q depends on itself", k.name, r.id)
	}
	t.open[r.id+"."+k.name] = true
	defer delete(t.open, r.id+"."+k.name)
	name, err := t.eval(v, len(t.open))
	if err != nil {
		return "", err
	}
	if name == nil {
		return t.physicalName(r.id), nil
	}
	if !name.scalar() {
		return "", cannot(v.line, "%s of %q is not a string", k.name, r.id)
	}
	return name.text, nil
}

func (t *template) resourceARN(k *kindOfResource, name string) string {
	l := t.l
	switch {
	case k.accountless:
		return "arn:" + l.Partition + ":" + k.service + ":::" + k.path + name
	case k.global:
		return "arn:" + l.Partition + ":" + k.service + "::" + l.Account + ":" + k.path + name
	}
	return l.arn(k.service, k.path+name)
}

// resourceRef is what Ref of a resource comes to.
func (t *template) resourceRef(r *resource, line int) (*value, error) {
	k, known := kindsOfResources[r.typ]
	if !known {
		return nil, t.unknown(r, r.id, line)
	}
	name, err := t.resourceName(r, &k)
	if err != nil {
		return nil, err
	}
	if r.typ == "AWS::SQS::Queue" {
		return stringValue(line, "https://sqs."+t.l.Region+".amazonaws.com/"+t.l.Account+"/"+name), nil
	}
	if k.refARN {
		name = t.resourceARN(&k, name)
	}
	return stringValue(line, name), nil
}

// getAtt is Fn::GetAtt, of a list of two or of one string with a dot.
func (t *template) getAtt(arg *value, line, depth int) (*value, error) {
	id, attribute, ok := strings.Cut(arg.text, ".")
	if arg.kind == kindList && len(arg.list) == 2 && arg.list[0].scalar() {
		second, err := t.eval(arg.list[1], depth+1)
		if err != nil {
			return nil, err
		}
		id, ok = arg.list[0].text, second != nil && second.scalar()
		if ok {
			attribute = second.text
		}
	}
	if !ok {
		return nil, cannot(line, "Fn::GetAtt takes a resource and an attribute")
	}
	if v, given := t.l.Values[id+"."+attribute]; given {
		return stringValue(line, v), nil
	}
	r, declared := t.resources[id]
	if !declared {
		return nil, cannot(line, "Fn::GetAtt: %q is not a resource of the template", id)
	}
	k, known := kindsOfResources[r.typ]
	isARN, isName := slices.Contains(k.arns, attribute), slices.Contains(k.names, attribute)
	if !known || !isARN && !isName {
		return nil, t.unknown(r, id+"."+attribute, line)
	}
	name, err := t.resourceName(r, &k)
	if err != nil {
		return nil, err
	}
	if isARN {
		name = t.resourceARN(&k, name)
	}
	return stringValue(line, name), nil
}

func (t *template) unknown(r *resource, reference string, line int) error {
	return cannot(line, "%s (of an %s) is known after a deployment only: give a value for it", reference, r.typ)
}
