package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"

	yaml "go.yaml.in/yaml/v2"
)

// configuration is the part of docker_auth's configuration file that the stand-in supports. Keys and meaning are those
// of docker_auth's examples/reference.yml.
type configuration struct {
	Server serverSettings           `yaml:"server"`
	Token  tokenSettings            `yaml:"token"`
	Users  map[string]*userSettings `yaml:"users"`
	ACL    accessList               `yaml:"acl"`

	signer *signer
	tls    *tls.Config
}

type serverSettings struct {
	Address      string `yaml:"addr"`
	Certificate  string `yaml:"certificate"`
	Key          string `yaml:"key"`
	RealIPHeader string `yaml:"real_ip_header"`
	// RealIPPosition counts from the left of the header's list, or from the right if negative.
	RealIPPosition int `yaml:"real_ip_pos"`
}

type tokenSettings struct {
	Issuer string `yaml:"issuer"`
	// Expiration is the lifetime of a token in seconds.
	Expiration         int64  `yaml:"expiration"`
	Certificate        string `yaml:"certificate"`
	Key                string `yaml:"key"`
	DisableLegacyKeyID bool   `yaml:"disable_legacy_key_id"`
}

// userSettings is one account. Without a password, every password is valid: `"": {}` allows anonymous clients.
type userSettings struct {
	PasswordHash *string `yaml:"password"`
	Labels       labels  `yaml:"labels"`
}

// labels of an account are matched by entries of the access list.
type labels map[string][]string

// loadConfiguration reads and checks a configuration file and loads the keys it names.
func loadConfiguration(file string) (*configuration, error) {
	contents, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	c := &configuration{}
	if err := yaml.UnmarshalStrict(contents, c); err != nil {
		return nil, fmt.Errorf("configuration %s: the stand-in supports only a part of docker_auth's settings: %w", file, err)
	}
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("configuration %s: %w", file, err)
	}
	return c, nil
}

func (c *configuration) validate() error {
	switch {
	case c.Server.Address == "":
		return errors.New("server.addr is missing: set it to HOST:PORT or :PORT")
	case (c.Server.Certificate == "") != (c.Server.Key == ""):
		return errors.New("server.certificate and server.key are required together")
	case c.Token.Issuer == "":
		return errors.New("token.issuer is missing")
	case c.Token.Expiration <= 0:
		return fmt.Errorf("token.expiration must be a positive number of seconds, not %d", c.Token.Expiration)
	case c.Users == nil:
		return errors.New("users is missing: an empty map {} allows nobody")
	case c.ACL == nil:
		return errors.New("acl is missing: an empty list [] grants nothing")
	}
	if err := c.ACL.validate(); err != nil {
		return err
	}
	if err := c.loadServerPair(); err != nil {
		return err
	}
	return c.loadSigner()
}

// loadServerPair enables HTTPS if the configuration has a server certificate.
func (c *configuration) loadServerPair() error {
	if c.Server.Certificate == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.Server.Certificate, c.Server.Key)
	if err != nil {
		return fmt.Errorf("server.certificate and server.key: %w", err)
	}
	c.tls = &tls.Config{Certificates: []tls.Certificate{pair}}
	return nil
}

// loadSigner loads the key pair for tokens, or that of the server if the token section has none.
func (c *configuration) loadSigner() (err error) {
	certificate, key := c.Token.Certificate, c.Token.Key
	if certificate == "" && key == "" {
		certificate, key = c.Server.Certificate, c.Server.Key
	}
	if certificate == "" || key == "" {
		return errors.New("token.certificate and token.key are both required")
	}
	c.signer, err = loadSigner(certificate, key, c.Token.DisableLegacyKeyID)
	return err
}
