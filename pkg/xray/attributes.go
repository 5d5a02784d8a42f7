// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package xray

import "strings"

// Resource attributes.
const (
	attrCloudProvider   = "cloud.provider"
	attrCloudAccountID  = "cloud.account.id"
	attrCloudRegion     = "cloud.region"
	attrCloudPlatform   = "cloud.platform"
	attrCloudZone       = "cloud.availability_zone"
	attrServiceName     = "service.name"
	attrServiceVersion  = "service.version"
	attrServiceNS       = "service.namespace"
	attrServiceInstance = "service.instance.id"
	attrHostID          = "host.id"
	attrHostType        = "host.type"
	attrHostImageID     = "host.image.id"
	attrContainerName   = "container.name"
	attrContainerID     = "container.id"
	attrClusterName     = "k8s.cluster.name"
	attrPodName         = "k8s.pod.name"
	attrSDKName         = "telemetry.sdk.name"
	attrSDKLanguage     = "telemetry.sdk.language"
	attrSDKVersion      = "telemetry.sdk.version"
	attrLogGroupNames   = "aws.log.group.names"
	attrLogGroupARNs    = "aws.log.group.arns"
	attrResourceARN     = "aws.xray.resource_arn"
	attrECSContainerARN = "aws.ecs.container.arn"
	attrECSTaskARN      = "aws.ecs.task.arn"
	attrECSTaskFamily   = "aws.ecs.task.family"
	attrECSClusterARN   = "aws.ecs.cluster.arn"
	attrECSLaunchType   = "aws.ecs.launchtype"
)

// Span attributes that hold what a document says.
const (
	attrUser          = "enduser.id"
	attrHTTPMethod    = "http.request.method"
	attrURLFull       = "url.full"
	attrClientAddress = "client.address"
	attrUserAgent     = "user_agent.original"
	attrHTTPStatus    = "http.response.status_code"
	attrHTTPBodySize  = "http.response.body.size"
	attrAWSOperation  = "aws.operation"
	attrAWSRegion     = "aws.region"
	attrAWSAccountID  = "aws.account_id"
	attrAWSRequestID  = "aws.request_id"
	attrAWSQueueURL   = "aws.queue_url"
	attrAWSTableName  = "aws.table_name"
	attrDBSystem      = "db.system.name"
	attrDBQuery       = "db.query.text"
	attrDBUser        = "db.user"
)

// Span attributes that repeat what another one holds, for those who look for OpenTelemetry's names. A document
// is made without them.
const (
	attrAWSService    = "aws.service"
	attrDBNamespace   = "db.namespace"
	attrServerAddress = "server.address"
	attrServerPort    = "server.port"
)

// Span attributes for what OpenTelemetry has no name for.
const (
	// attrType marks a span as made of an X-Ray document, and says of which part: typeSegment, …
	attrType = "aws.xray.type"
	// attrIndex is the place of an embedded subsegment among its siblings.
	attrIndex = "aws.xray.index"
	// attrDocPartial marks the embedded subsegments of a document in progress, so that they are not taken for
	// those of the complete document with the same id that may travel in the same batch.
	attrDocPartial    = "aws.xray.document.inprogress"
	attrInProgress    = "aws.xray.inprogress"
	attrOrigin        = "aws.xray.origin"
	attrNamespace     = "aws.xray.namespace"
	attrTraced        = "aws.xray.traced"
	attrFault         = "aws.xray.fault"
	attrError         = "aws.xray.error"
	attrThrottle      = "aws.xray.throttle"
	attrXForwardedFor = "aws.xray.x_forwarded_for"
	attrRetries       = "aws.xray.retries"
	attrSQLURL        = "aws.xray.sql.url"
	// attrAnnotations lists the attributes that are annotations. One whose name means something else as an
	// attribute is kept under annotationPrefix.
	attrAnnotations  = "aws.xray.annotations"
	annotationPrefix = "aws.xray.annotation."
	// metadataPrefix and a namespace name an attribute with the JSON text of that namespace.
	metadataPrefix = "aws.xray.metadata."
	// attrSubsegments is a JSON object of the subsegments that cannot be spans, by their index; an empty one stands
	// for an empty array.
	attrSubsegments = "aws.xray.subsegments"
	// attrResidual is the JSON text of the members of the document that no other attribute holds.
	attrResidual = "aws.xray.residual"
	// attrLiterals is a JSON object of the numbers whose text is not the usual one for their value.
	attrLiterals = "aws.xray.literals"
)

// Values of attrType.
const (
	typeSegment    = "segment"
	typeSubsegment = "subsegment" // a document of its own
	typeEmbedded   = "embedded"   // a subsegment inside a document
)

// Attributes of an event called exception.
const (
	eventException         = "exception"
	attrExceptionType      = "exception.type"
	attrExceptionMessage   = "exception.message"
	attrExceptionStack     = "exception.stacktrace"
	attrXExceptionID       = "aws.xray.exception.id"
	attrXExceptionRemote   = "aws.xray.exception.remote"
	attrXExceptionTrunc    = "aws.xray.exception.truncated"
	attrXExceptionSkipped  = "aws.xray.exception.skipped"
	attrXExceptionCause    = "aws.xray.exception.cause"
	attrXExceptionStack    = "aws.xray.exception.stack"    // JSON text of the frames
	attrXExceptionResidual = "aws.xray.exception.residual" // JSON text of other members
)

// mappedAttribute is true for an attribute's name that the mapping itself uses, so that no annotation may
// have it.
func mappedAttribute(key string) bool {
	if key == "" || strings.HasPrefix(key, "aws.") {
		return true
	}
	switch key {
	case attrUser, attrHTTPMethod, attrURLFull, attrClientAddress, attrUserAgent, attrHTTPStatus, attrHTTPBodySize,
		attrDBSystem, attrDBQuery, attrDBUser, attrDBNamespace, attrServerAddress, attrServerPort:
		return true
	}
	return false
}

// ownAttribute is true for an attribute that a span made of a document has, so that it is no addition of some
// processor.
func ownAttribute(key string) bool {
	switch key {
	case attrUser, attrHTTPMethod, attrURLFull, attrClientAddress, attrUserAgent, attrHTTPStatus, attrHTTPBodySize,
		attrAWSOperation, attrAWSRegion, attrAWSAccountID, attrAWSRequestID, attrAWSQueueURL, attrAWSTableName,
		attrDBSystem, attrDBQuery, attrDBUser, attrDBNamespace, attrServerAddress, attrServerPort, attrAWSService,
		attrType, attrIndex, attrDocPartial, attrInProgress, attrOrigin, attrNamespace, attrTraced, attrFault,
		attrError, attrThrottle, attrXForwardedFor, attrRetries, attrSQLURL, attrAnnotations, attrSubsegments, attrResidual, attrLiterals:
		return true
	}
	return strings.HasPrefix(key, metadataPrefix)
}
