package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// absentSubject is the digest of an image to which nothing refers.
var absentSubject = strings.Repeat("0", 64)

// bench is a stand-in on the loopback interface, in front of a registry without authentication.
type bench struct {
	t       *testing.T
	url     string
	control string
	client  *http.Client
}

func newBench(t *testing.T, o options) *bench {
	t.Helper()
	registry := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Authorization") != "" {
			t.Error("the upstream registry received a token")
		}
		if strings.HasSuffix(request.URL.Path, "/manifests/sha256-"+absentSubject) {
			http.NotFound(writer, request)
			return
		}
		_, _ = io.WriteString(writer, strings.Repeat("x", 300))
	}))
	t.Cleanup(registry.Close)
	behind, err := url.Parse(registry.URL)
	if err != nil {
		t.Fatal(err)
	}
	state := newState(o.limits)
	o.realm = "http://realm.example/token"
	publicServer := &publicServer{address: "127.0.0.1:0", handler: newHub(o, behind, state), seen: &state.seen,
		certificate: o.certificate, key: o.key}
	if err := publicServer.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(publicServer.close)
	control := httptest.NewServer(newControl(state, publicServer))
	t.Cleanup(control.Close)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	scheme := "http://"
	if o.certificate != "" {
		scheme = "https://"
	}
	return &bench{t, scheme + publicServer.address, control.URL, client}
}

func standard() options {
	return options{
		accounts: map[string]string{"alice": "s:ecret"},
		private:  []string{"secret/*"},
		absent:   []string{"absent/*"},
		limits:   limits{Anonymous: 2, Account: 3},
	}
}

func (b *bench) request(method, target string, header ...string) (*http.Response, error) {
	request, err := http.NewRequest(method, target, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return b.client.Do(request)
}

func (b *bench) answer(method, target string, header ...string) (*http.Response, string) {
	b.t.Helper()
	response, err := b.request(method, target, header...)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response, string(body)
}

// token returns the value of the Authorization header for pulls of the repositories.
func (b *bench) token(user, password string, repositories ...string) string {
	b.t.Helper()
	query := url.Values{"service": {service}}
	for _, repository := range repositories {
		query.Add("scope", "repository:"+repository+":pull,push")
	}
	request, _ := http.NewRequest(http.MethodGet, b.url+"/token?"+query.Encode(), nil)
	if user != "" {
		request.SetBasicAuth(user, password)
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Token string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		b.t.Fatalf("token: %s, %v", response.Status, err)
	}
	return "Bearer " + answer.Token
}

func (b *bench) put(path, document string) (status int, body string) {
	b.t.Helper()
	request, _ := http.NewRequest(http.MethodPut, b.control+path, strings.NewReader(document))
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

func (b *bench) fault(document string) {
	b.t.Helper()
	if status, body := b.put("/faults", document); status != http.StatusOK {
		b.t.Fatalf("%s: %s", document, body)
	}
}

func (b *bench) expect(status int, method, path, token string) (*http.Response, string) {
	b.t.Helper()
	response, body := b.answer(method, b.url+path, "Authorization", token)
	if response.StatusCode != status {
		b.t.Fatalf("%s %s: got %d instead of %d: %s", method, path, response.StatusCode, status, body)
	}
	if response.Header.Get("X-Regmirror-Lab") != "Docker Hub stand-in" {
		b.t.Errorf("%s %s has no X-Regmirror-Lab header", method, path)
	}
	return response, body
}
