// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package awssession

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Session is what clients are made of.
type Session struct {
	AWS aws.Config
	// Endpoint is for the service's client; nil when the service's own is meant. It must not reach the
	// clients that get credentials.
	Endpoint  *string
	transport *http.Transport
}

// Close gives idle connections back.
func (s *Session) Close() {
	if s.transport != nil {
		s.transport.CloseIdleConnections()
	}
}

// Open resolves region and credentials. It asks no service unless the region is not known otherwise: credentials are got
// with the first request.
func (c *Config) Open(ctx context.Context) (*Session, error) {
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	s := &Session{}
	opts := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = c.MaxRetries + 1 })
		}),
	}
	opts = append(opts, c.identity(client)...)
	s.AWS, err = config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if s.AWS.Region == "" {
		return nil, errors.New(`no region is known: set "region", or AWS_REGION in the environment`)
	}
	s.own(c.RequestTimeout())
	if c.RoleARN != "" {
		role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(s.AWS), c.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			if c.ExternalID != "" {
				o.ExternalID = aws.String(c.ExternalID)
			}
		})
		s.AWS.Credentials = aws.NewCredentialsCache(role)
	}
	if c.Endpoint != "" {
		u, err := endpointURL(c.Endpoint)
		if err != nil {
			return nil, err
		}
		s.Endpoint = &u
	}
	return s, nil
}

// identity are the options of who sends and to where.
func (c *Config) identity(client *awshttp.BuildableClient) []func(*config.LoadOptions) error {
	var opts []func(*config.LoadOptions) error
	metadata := imds.Options{HTTPClient: client}
	switch {
	case c.LocalMode:
		metadata.ClientEnableState = imds.ClientDisabled
		opts = append(opts, config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	case c.IMDSRetries > 0:
		metadata.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = c.IMDSRetries + 1 })
		opts = append(opts, config.WithEC2RoleCredentialOptions(func(o *ec2rolecreds.Options) { o.Client = imds.New(metadata) }))
	}
	if c.Region != "" {
		opts = append(opts, config.WithRegion(c.Region))
	} else if !c.LocalMode {
		opts = append(opts, config.WithEC2IMDSRegion(func(o *config.UseEC2IMDSRegion) { o.Client = imds.New(metadata) }))
	}
	if c.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(c.Profile))
	}
	if len(c.SharedCredentialsFile) > 0 {
		opts = append(opts, config.WithSharedCredentialsFiles(c.SharedCredentialsFile))
	}
	if c.AccessKeyID != "" {
		opts = append(opts, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(
			c.AccessKeyID, string(c.SecretAccessKey), string(c.SessionToken))))
	}
	return opts
}

// own replaces the client, whose connections nobody can close, by one of the same transport. (Loading wants the former:
// it may add the certificates of AWS_CA_BUNDLE.)
func (s *Session) own(timeout time.Duration) {
	if b, ok := s.AWS.HTTPClient.(*awshttp.BuildableClient); ok {
		s.transport = b.GetTransport()
		s.AWS.HTTPClient = &http.Client{
			Transport: s.transport, Timeout: timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
}

func (c *Config) client() (*awshttp.BuildableClient, error) {
	var proxy *url.URL
	var err error
	if c.ProxyAddress != "" {
		if proxy, err = parseURL(c.ProxyAddress); err != nil {
			return nil, err
		}
	}
	var pool *x509.CertPool
	if c.CertificateFilePath != "" {
		if pool, err = certificates(c.CertificateFilePath); err != nil {
			return nil, fmt.Errorf(`"certificate_file_path": %w`, err)
		}
	}
	return awshttp.NewBuildableClient().WithTimeout(c.RequestTimeout()).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = c.NumWorkers
		if proxy != nil {
			t.Proxy = http.ProxyURL(proxy)
		}
		if t.TLSClientConfig == nil {
			t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		t.TLSClientConfig.InsecureSkipVerify = c.NoVerifySSL
		if pool != nil {
			t.TLSClientConfig.RootCAs = pool
		}
	}), nil
}

// certificates are the system's and those of the file.
func certificates(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file) //nolint:gosec // the file that the user named
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %q", file)
	}
	return pool, nil
}
