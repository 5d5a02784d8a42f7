// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package topics

import "github.com/nephoscope/nephoscope/pkg/sns"

// subjectOf is the subject of the letter that an envelope becomes.
func subjectOf(e *sns.Envelope) string {
	switch {
	case e.Type == sns.SubscriptionConfirmation:
		return "AWS Notification - Subscription Confirmation"
	case e.Type == sns.UnsubscribeConfirmation:
		return "AWS Notification - Unsubscribe Confirmation"
	case e.Subject != nil:
		return *e.Subject
	}
	return "AWS Notification Message"
}

// letterOf is the text of the letter that an envelope becomes.
func letterOf(e *sns.Envelope) string {
	switch e.Type {
	case sns.SubscriptionConfirmation:
		return "Somebody subscribed this address to the topic\n" + e.TopicARN + "\n\nTo confirm the subscription, visit\n" + e.SubscribeURL +
			"\n\nIf this was not you, there is nothing to do.\n"
	case sns.UnsubscribeConfirmation:
		return "This address receives nothing of the topic any more:\n" + e.TopicARN + "\n\nTo restore the subscription, visit\n" + e.SubscribeURL + "\n"
	default:
		return e.Message + "\n\n--\nTo receive nothing of this topic any more, visit\n" + e.UnsubscribeURL + "\n"
	}
}
