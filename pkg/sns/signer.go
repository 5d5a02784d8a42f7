// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // signature version 1 is SHA-1
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// The versions of signatures.
const (
	SignatureVersion1 = "1" // SHA-1
	SignatureVersion2 = "2" // SHA-256
)

const (
	keyBits = 2048
	// certificateLife is so long because nobody exchanges the certificate: it lives as long as the key.
	certificateLife = 30 * 365 * 24 * time.Hour
)

// Signer signs envelopes.
type Signer struct {
	key         *rsa.PrivateKey
	certificate []byte // PEM
	name        string
}

// NewSigner makes a key and a certificate for it.
func NewSigner(now time.Time) (*Signer, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "sns.amazonaws.com", Organization: []string{"Nephoscope"}},
		DNSNames:     []string{"sns.amazonaws.com"},
		NotBefore:    now.Add(-24 * time.Hour), // clocks differ
		NotAfter:     now.Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return newSigner(key, der), nil
}

func newSigner(key *rsa.PrivateKey, der []byte) *Signer {
	sum := sha256.Sum256(der)
	return &Signer{
		key:         key,
		certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		name:        "SimpleNotificationService-" + hex.EncodeToString(sum[:16]) + ".pem",
	}
}

// Certificate is the certificate, in PEM.
func (s *Signer) Certificate() []byte { return s.certificate }

// CertificateName is the certificate's file name: SimpleNotificationService- and 32 hexadecimal digits.
func (s *Signer) CertificateName() string { return s.name }

// Marshal is the key and the certificate, in PEM, for [ParseSigner].
func (s *Signer) Marshal() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), s.certificate...), nil
}

// ParseSigner reads what [Signer.Marshal] made.
func ParseSigner(text []byte) (*Signer, error) {
	var key *rsa.PrivateKey
	var certificate []byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "PRIVATE KEY":
			k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("read the key: %w", err)
			}
			rsaKey, ok := k.(*rsa.PrivateKey)
			if !ok {
				return nil, fmt.Errorf("read the key: it is %T", k)
			}
			key = rsaKey
		case "CERTIFICATE":
			if _, err := x509.ParseCertificate(block.Bytes); err != nil {
				return nil, fmt.Errorf("read the certificate: %w", err)
			}
			certificate = block.Bytes
		}
	}
	if key == nil || certificate == nil {
		return nil, errors.New("no key, or no certificate")
	}
	return newSigner(key, certificate), nil
}

// Sign sets the envelope's signature. version is "1" or "2".
func (s *Signer) Sign(e *Envelope, version string) error {
	hash, digest, err := digest(e, version)
	if err != nil {
		return err
	}
	sig, err := rsa.SignPKCS1v15(rand.Reader, s.key, hash, digest)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	e.SignatureVersion, e.Signature = version, base64.StdEncoding.EncodeToString(sig)
	return nil
}

func digest(e *Envelope, version string) (crypto.Hash, []byte, error) {
	text := []byte(e.StringToSign())
	switch version {
	case SignatureVersion1:
		sum := sha1.Sum(text) //nolint:gosec // signature version 1 is SHA-1
		return crypto.SHA1, sum[:], nil
	case SignatureVersion2:
		sum := sha256.Sum256(text)
		return crypto.SHA256, sum[:], nil
	default:
		return 0, nil, fmt.Errorf("unknown signature version %q", version)
	}
}

// Verify is whether the envelope has a signature by the key of a certificate in PEM.
func Verify(e *Envelope, certificate []byte) error {
	block, _ := pem.Decode(certificate)
	if block == nil || block.Type != "CERTIFICATE" {
		return errors.New("not a certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("the certificate's key is %T", cert.PublicKey)
	}
	hash, digest, err := digest(e, e.SignatureVersion)
	if err != nil {
		return err
	}
	sig, err := base64.StdEncoding.DecodeString(e.Signature)
	if err != nil {
		return fmt.Errorf("read the signature: %w", err)
	}
	return rsa.VerifyPKCS1v15(key, hash, digest, sig)
}
