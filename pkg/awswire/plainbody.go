// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awswire

// plainBody is an answer that is no structure of the protocol.
type plainBody struct {
	contentType string
	body        []byte
}

// AnswerWith makes body the whole answer to the request, in place of what the operation returns: an image for a client
// that asked for image/png. An error that the operation returns is answered as usual.
func (r *Request) AnswerWith(contentType string, body []byte) {
	r.plain = &plainBody{contentType, body}
}
