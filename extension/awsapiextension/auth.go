// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awsapiextension

import (
	"fmt"

	"github.com/nephoscope/nephoscope/pkg/awswire"
	"github.com/nephoscope/nephoscope/pkg/sigv4"
)

// keyring is the configured credentials by access key.
type keyring map[string]CredentialConfig

// Credentials returns what belongs to an access key.
func (k keyring) Credentials(accessKey string) (secret, sessionToken, account string, ok bool) {
	c, ok := k[accessKey]
	return string(c.SecretAccessKey), string(c.SessionToken), c.AccountID, ok
}

func (e *awsAPI) newAuthenticator() (awswire.Authenticator, error) {
	modes := map[AuthMode]sigv4.Mode{
		AuthModeOff: sigv4.ModeOff, AuthModeLenient: sigv4.ModeLenient, AuthModeStrict: sigv4.ModeStrict,
	}
	mode, ok := modes[e.cfg.Auth.Mode]
	if !ok {
		return nil, fmt.Errorf("unknown auth mode %q", e.cfg.Auth.Mode)
	}
	keys := make(keyring, len(e.cfg.Auth.Credentials))
	for _, c := range e.cfg.Auth.Credentials {
		keys[c.AccessKeyID] = c
	}
	return awswire.NewAuthenticator(awswire.AuthenticatorSettings{
		Verifier: sigv4.NewVerifier(sigv4.Settings{Mode: mode, Provider: keys, Now: e.now}),
		Account:  e.cfg.AccountID,
		Region:   e.cfg.Region,
	}), nil
}
