package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

type seen struct {
	Connections int
	Requests    []sighting
}

func (b *bench) seen() (seen, string) {
	b.t.Helper()
	_, body := b.answer(http.MethodGet, b.control+"/state")
	var state struct{ Seen seen }
	if err := json.Unmarshal([]byte(body), &state); err != nil {
		b.t.Fatal(err)
	}
	return state.Seen, body
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func TestCredentialsAreSeenAsHashes(t *testing.T) {
	b := newBench(t, standard())
	b.answer(http.MethodGet, b.url+"/v2/")
	basic, _ := http.NewRequest(http.MethodGet, b.url+"/token?service=x&account=alice", nil)
	basic.SetBasicAuth("alice", "a-secret")
	_, err := b.client.Do(basic)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"username": {"bob"}, "password": {"b-secret"}, "refresh_token": {"c-secret"}}
	if _, err := b.client.PostForm(b.url+"/token", form); err != nil {
		t.Fatal(err)
	}
	b.answer(http.MethodGet, b.url+manifest, "Authorization", "Bearer d-secret")
	b.answer(http.MethodGet, b.url+"/token?access_token=e-secret")

	found, text := b.seen()
	host := strings.TrimPrefix(b.url, "http://")
	want := []sighting{
		{"GET", host, "/v2/", []credential{}},
		{"GET", host, "/token", []credential{{"basic", "alice", hashOf("a-secret")}}},
		{"POST", host, "/token", []credential{{"password", "bob", hashOf("b-secret")}, {"refresh_token", "bob", hashOf("c-secret")}}},
		{"GET", host, manifest, []credential{{"bearer", "", hashOf("d-secret")}}},
		{"GET", host, "/token", []credential{{"access_token", "", hashOf("e-secret")}}},
	}
	got, _ := json.Marshal(found.Requests)
	expected, _ := json.Marshal(want)
	if string(got) != string(expected) {
		t.Errorf("seen\n%s instead of\n%s", got, expected)
	}
	if strings.Contains(text, "-secret") {
		t.Errorf("the state has a secret: %s", text)
	}
	b.answer(http.MethodPost, b.control+"/reset")
	if found, _ := b.seen(); found.Connections != 0 || len(found.Requests) != 0 {
		t.Errorf("after a reset: %+v", found)
	}
}

func TestOnlyTheFirstRequestsAreListed(t *testing.T) {
	s := &sightings{}
	for range maxSightings + 10 {
		s.add(sighting{})
	}
	if len(s.requests) != maxSightings {
		t.Errorf("%d requests are listed", len(s.requests))
	}
}

func TestAClientThatDoesNotTrustTheCertificateIsSeen(t *testing.T) {
	b := newBenchWithTLS(t)
	trusting := b.client
	b.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if _, err := b.request(http.MethodGet, b.url+"/v2/"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Fatalf("the certificate is trusted: %v", err)
	}
	b.client = trusting
	if found, _ := b.seen(); found.Connections != 1 || len(found.Requests) != 0 {
		t.Errorf("seen: %+v", found)
	}
}

func TestWithTLSEveryFaultIsTheSame(t *testing.T) {
	b := newBenchWithTLS(t)
	b.expect(http.StatusOK, http.MethodGet, manifest, b.token("alice", "s:ecret", "library/demo"))
	for document, want := range map[string]error{
		`{"registry": {"mode": "reset"}}`: syscall.ECONNRESET,
		`{"down": true}`:                  syscall.ECONNREFUSED,
	} {
		b.fault(document)
		if _, err := b.request(http.MethodGet, b.url+"/v2/"); !errors.Is(err, want) {
			t.Errorf("%s: %v", document, err)
		}
	}
	b.fault(`{}`)
	b.expect(http.StatusUnauthorized, http.MethodGet, "/v2/", "")
}

// newBenchWithTLS is a bench with a certificate for 127.0.0.1, which only its client trusts.
func newBenchWithTLS(t *testing.T) *bench {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	o, directory := standard(), t.TempDir()
	o.certificate, o.key = filepath.Join(directory, "tls.crt"), filepath.Join(directory, "tls.key")
	trusted := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	for file, content := range map[string][]byte{
		o.certificate: trusted, o.key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := newBench(t, o)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(trusted)
	b.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool}
	return b
}
