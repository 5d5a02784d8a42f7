// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsclient

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFromEnvironment(t *testing.T) {
	t.Parallel()
	from := func(env map[string]string) Target { return FromEnvironment(func(k string) string { return env[k] }) }
	require.Equal(t, Target{
		Endpoint: "http://127.0.0.1:4566", Region: "us-east-1", AccessKeyID: "test", SecretAccessKey: "test",
	}, from(nil))
	require.Equal(t, "http://127.0.0.1:9", from(map[string]string{"NEPHOSCOPE_AWS_ENDPOINT": "127.0.0.1:9"}).Endpoint)
	got := from(map[string]string{
		"AWS_ENDPOINT_URL": "https://e", "NEPHOSCOPE_AWS_ENDPOINT": "127.0.0.1:9", "AWS_DEFAULT_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t",
	})
	require.Equal(t, Target{Endpoint: "https://e", Region: "eu-west-1", AccessKeyID: "a", SecretAccessKey: "s", SessionToken: "t"}, got)
	require.Equal(t, "test", from(map[string]string{"AWS_ACCESS_KEY_ID": "half"}).AccessKeyID)
}
