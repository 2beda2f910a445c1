package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"strings"
	"sync"
)

// maxSightings bounds the memory that a client that never stops asking can take.
const maxSightings = 1000

// sightings are what the stand-in has seen of its clients: their connections, and the first requests one by one.
type sightings struct {
	mutex       sync.Mutex
	connections int
	requests    []sighting
}

// sighting is one request. It has no query, which may contain a secret.
type sighting struct {
	Method      string       `json:"method"`
	Host        string       `json:"host"`
	Path        string       `json:"path"`
	Credentials []credential `json:"credentials"`
}

// credential is a password or token that came with a request, as a hash: enough to recognize it, and not to use it.
type credential struct {
	// Kind is basic, bearer, the scheme of another Authorization header, or the name of a field of a form.
	Kind   string `json:"kind"`
	User   string `json:"user"`
	SHA256 string `json:"sha256"`
}

// secretFields are the fields with secrets in the form of a token request (OAuth 2).
var secretFields = []string{"password", "refresh_token", "access_token", "client_secret"}

func newCredential(kind, user, secret string) credential {
	sum := sha256.Sum256([]byte(secret))
	return credential{kind, user, hex.EncodeToString(sum[:])}
}

// watch records each request before the handler gets it.
func (s *sightings) watch(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		s.add(sighting{request.Method, request.Host, request.URL.Path, credentialsOf(request)})
		handler.ServeHTTP(writer, request)
	})
}

func credentialsOf(request *http.Request) []credential {
	found := []credential{}
	if user, password, ok := request.BasicAuth(); ok {
		found = append(found, newCredential("basic", user, password))
	} else if header := request.Header.Get("Authorization"); header != "" {
		scheme, secret, _ := strings.Cut(header, " ")
		found = append(found, newCredential(strings.ToLower(scheme), "", secret))
	}
	_ = request.ParseForm() // reads the body only if it is a form
	for _, field := range secretFields {
		if secret := request.Form.Get(field); secret != "" {
			found = append(found, newCredential(field, request.Form.Get("username"), secret))
		}
	}
	return found
}

func (s *sightings) add(seen sighting) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.requests) < maxSightings {
		s.requests = append(s.requests, seen)
	}
}

// countConnection is for http.Server.ConnState. A client that does not trust the certificate gets no further.
func (s *sightings) countConnection(_ net.Conn, now http.ConnState) {
	if now == http.StateNew {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.connections++
	}
}

func (s *sightings) reset() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.connections, s.requests = 0, nil
}

// report is the part of the state that lists the sightings.
func (s *sightings) report() map[string]any {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return map[string]any{"connections": s.connections, "requests": append([]sighting{}, s.requests...)}
}
