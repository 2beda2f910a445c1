package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// signer creates JSON Web Tokens signed with RS256.
type signer struct {
	key   *rsa.PrivateKey
	keyID string
}

// loadSigner loads a PEM key pair. The key must be RSA: registries disagree about the key ID of other keys.
func loadSigner(certificateFile, keyFile string, thumbprint bool) (*signer, error) {
	pair, err := tls.LoadX509KeyPair(certificateFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("token.certificate and token.key: %w", err)
	}
	key, ok := pair.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("token.key %s: the stand-in supports only RSA keys", keyFile)
	}
	if thumbprint {
		return &signer{key, thumbprintOf(&key.PublicKey)}, nil
	}
	keyID, err := legacyKeyID(&key.PublicKey)
	return &signer{key, keyID}, err
}

// thumbprintOf is the JWK thumbprint of RFC 7638, section 3: the key ID that registry 3 expects.
func thumbprintOf(key *rsa.PublicKey) string {
	exponent := encode(big.NewInt(int64(key.E)).Bytes())
	sum := sha256.Sum256([]byte(`{"e":"` + exponent + `","kty":"RSA","n":"` + encode(key.N.Bytes()) + `"}`))
	return encode(sum[:])
}

// legacyKeyID is libtrust's fingerprint, the key ID that registry 2 expects: 240 bits of the SHA-256 hash of the DER
// public key, as base32 in groups of four.
func legacyKeyID(key *rsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(der)
	var groups []string
	for group := range slices.Chunk([]byte(base32.StdEncoding.EncodeToString(sum[:30])), 4) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, ":"), nil
}

func (s *signer) sign(claims tokenClaims) (string, error) {
	header, err := json.Marshal(map[string]string{"typ": "JWT", "alg": "RS256", "kid": s.keyID})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := encode(header) + "." + encode(payload)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
	return text + "." + encode(signature), err
}

// encode is base64url without padding, as everywhere in JSON Web Tokens.
func encode(data []byte) string {
	return base64.RawURLEncoding.EncodeToString(data)
}
