package main

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const manifest = "/v2/library/demo/manifests/1"

func TestWithoutATokenTheRegistryAsksForOne(t *testing.T) {
	b := newBench(t, standard())
	for path, want := range map[string]string{
		"/v2/":         `Bearer realm="http://realm.example/token",service="registry.docker.io"`,
		manifest:       `Bearer realm="http://realm.example/token",service="registry.docker.io",scope="repository:library/demo:pull"`,
		"/v2/_catalog": `Bearer realm="http://realm.example/token",service="registry.docker.io",scope="registry:catalog:*"`,
	} {
		response, body := b.expect(http.StatusUnauthorized, http.MethodGet, path, "")
		if got := response.Header.Get("WWW-Authenticate"); got != want {
			t.Errorf("%s: challenge %s instead of %s", path, got, want)
		}
		if !strings.Contains(body, `"UNAUTHORIZED"`) {
			t.Errorf("%s: body %s", path, body)
		}
	}
}

func TestATokenOpensWhatItsAccountCanSee(t *testing.T) {
	b := newBench(t, standard())
	anonymous := b.token("", "", "library/demo", "secret/app")
	alice := b.token("alice", "s:ecret", "secret/app", "absent/app")
	b.expect(http.StatusOK, http.MethodGet, "/v2/", anonymous)
	b.expect(http.StatusOK, http.MethodGet, manifest, anonymous)
	b.expect(http.StatusOK, http.MethodGet, "/v2/library/demo/blobs/sha256:0", anonymous)
	b.expect(http.StatusOK, http.MethodGet, "/v2/secret/app/manifests/1", alice)
	for path, token := range map[string]string{
		"/v2/secret/app/manifests/1": anonymous, "/v2/absent/app/manifests/1": alice, manifest: alice, "/v2/_catalog": alice,
	} {
		response, _ := b.expect(http.StatusUnauthorized, http.MethodGet, path, token)
		if !strings.HasSuffix(response.Header.Get("WWW-Authenticate"), `,error="insufficient_scope"`) {
			t.Errorf("%s: challenge %s", path, response.Header.Get("WWW-Authenticate"))
		}
	}
	b.expect(http.StatusUnauthorized, http.MethodPut, manifest, anonymous)
	response, _ := b.expect(http.StatusUnauthorized, http.MethodGet, manifest, anonymous+"x")
	if !strings.HasSuffix(response.Header.Get("WWW-Authenticate"), `,error="invalid_token"`) {
		t.Errorf("a token with a wrong signature: %s", response.Header.Get("WWW-Authenticate"))
	}
}

func TestAWrongPasswordGetsNoToken(t *testing.T) {
	b := newBench(t, standard())
	for _, user := range []string{"alice", "mallory"} {
		request, _ := http.NewRequest(http.MethodGet, b.url+"/token", nil)
		request.SetBasicAuth(user, "wrong")
		byBasic, err := b.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		byForm, err := b.client.PostForm(b.url+"/token", url.Values{"username": {user}, "password": {"wrong"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, response := range []*http.Response{byBasic, byForm} {
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if response.StatusCode != http.StatusUnauthorized || !strings.Contains(string(body), "incorrect username") {
				t.Errorf("%s: %s %s", user, response.Status, body)
			}
		}
	}
}

func TestPullsAreCountedByAddressAndByAccount(t *testing.T) {
	b := newBench(t, standard())
	anonymous, alice := b.token("", "", "library/demo"), b.token("alice", "s:ecret", "library/demo")
	remaining := func(status int, method, token string) string {
		response, _ := b.expect(status, method, manifest, token)
		return response.Header.Get("RateLimit-Remaining")
	}
	for _, step := range []struct {
		status          int
		method, token   string
		remaining, what string
	}{
		{200, "HEAD", anonymous, "2;w=21600", "a HEAD counts nothing"},
		{200, "GET", anonymous, "1;w=21600", "a GET counts"},
		{200, "GET", alice, "2;w=21600", "an account has pulls of its own"},
		{200, "GET", anonymous, "0;w=21600", "the last pull"},
		{429, "GET", anonymous, "0;w=21600", "none is left"},
		{200, "HEAD", anonymous, "0;w=21600", "a HEAD needs none"},
		{200, "GET", alice, "1;w=21600", "the account still has some"},
	} {
		if got := remaining(step.status, step.method, step.token); got != step.remaining {
			t.Errorf("%s: %s remaining instead of %s", step.what, got, step.remaining)
		}
	}
	response, body := b.expect(http.StatusTooManyRequests, http.MethodGet, manifest, anonymous)
	if !strings.Contains(body, "TOOMANYREQUESTS") || response.Header.Get("Docker-RateLimit-Source") != "127.0.0.1" {
		t.Errorf("the refusal: %v %s", response.Header, body)
	}
	response, _ = b.expect(http.StatusOK, http.MethodGet, manifest, alice)
	if source := response.Header.Get("Docker-RateLimit-Source"); !regexp.MustCompile(`^[0-9a-f-]{36}$`).MatchString(source) {
		t.Errorf("the account's source is %q", source)
	}
}

func TestNoLimitHasNoHeaders(t *testing.T) {
	o := standard()
	o.limits = limits{}
	b := newBench(t, o)
	response, _ := b.expect(http.StatusOK, http.MethodGet, manifest, b.token("", "", "library/demo"))
	if limit := response.Header.Get("RateLimit-Limit"); limit != "" {
		t.Errorf("a limit of %s is announced", limit)
	}
}

func TestTheStateListsRequestsAndPulls(t *testing.T) {
	b := newBench(t, standard())
	b.expect(http.StatusUnauthorized, http.MethodGet, "/v2/", "")
	token := b.token("alice", "s:ecret", "library/demo")
	b.expect(http.StatusOK, http.MethodGet, manifest, token)
	b.expect(http.StatusOK, http.MethodGet, manifest, token)
	_, body := b.answer(http.MethodGet, b.control+"/state")
	var state struct {
		Pulls    map[string]int
		Requests []countedCall
	}
	if err := json.Unmarshal([]byte(body), &state); err != nil {
		t.Fatal(err)
	}
	want := []countedCall{
		{call{"GET", "manifests", "library/demo", "alice", 200}, 2},
		{call{"GET", "ping", "", "", 401}, 1},
		{call{"GET", "token", "", "alice", 200}, 1},
	}
	if len(state.Requests) != len(want) {
		t.Fatalf("requests: %+v", state.Requests)
	}
	for i := range want {
		if state.Requests[i] != want[i] {
			t.Errorf("request %d: %+v instead of %+v", i, state.Requests[i], want[i])
		}
	}
	if state.Pulls["alice"] != 2 || len(state.Pulls) != 1 {
		t.Errorf("pulls: %v", state.Pulls)
	}
}

func TestFaultsThatAnswer(t *testing.T) {
	b := newBench(t, standard())
	token := b.token("", "", "library/demo")
	for _, step := range []struct {
		fault, path string
		status      int
		words       string
	}{
		{`{"registry": {"mode": "status", "status": 503}}`, manifest, 503, "UNAVAILABLE"},
		{`{"registry": {"mode": "status", "status": 401}}`, manifest, 401, "UNAUTHORIZED"},
		{`{"registry": {"mode": "status", "status": 429}}`, "/v2/", 429, "Too Many Requests"},
		{`{"registry": {"mode": "rate-limited"}}`, manifest, 429, "unauthenticated pull rate limit"},
		{`{"registry": {"mode": "rate-limited"}}`, "/v2/library/demo/blobs/sha256:0", 200, "xxx"},
		{`{"registry": {"mode": "status", "status": 500, "only": "blobs"}}`, "/v2/library/demo/blobs/sha256:0", 500, ""},
		{`{"registry": {"mode": "status", "status": 500, "only": "blobs"}}`, manifest, 200, "xxx"},
		{`{"token": {"mode": "status", "status": 401}}`, "/token", 401, "incorrect username"},
		{`{"token": {"mode": "status", "status": 503}}`, "/token", 503, ""},
		{`{"token": {"mode": "status", "status": 503}}`, "/v2/", 200, "xxx"},
		{`{}`, manifest, 200, "xxx"},
	} {
		b.fault(step.fault)
		if _, body := b.expect(step.status, http.MethodGet, step.path, token); !strings.Contains(body, step.words) {
			t.Errorf("%s: %s says %s", step.fault, step.path, body)
		}
	}
}

func TestFaultsThatDoNotAnswer(t *testing.T) {
	b := newBench(t, standard())
	token := b.token("", "", "library/demo")
	get := func(path string) error {
		response, err := b.request(http.MethodGet, b.url+path, "Authorization", token)
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	b.fault(`{"registry": {"mode": "reset"}}`)
	if err := get(manifest); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}
	b.fault(`{"down": true}`)
	if err := get("/token"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("down: %v", err)
	}
	b.fault(`{"token": {"mode": "hang"}}`)
	b.client.Timeout = 200 * time.Millisecond
	var timeout net.Error
	if err := get("/token"); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("hang: %v", err)
	}
	b.fault(`{}`)
	b.expect(http.StatusOK, http.MethodGet, manifest, token)
}

func TestASlowAnswerTakesItsTime(t *testing.T) {
	b := newBench(t, standard())
	token := b.token("", "", "library/demo")
	b.fault(`{"registry": {"mode": "slow", "bytes_per_second": 1000}}`)
	start := time.Now()
	_, body := b.expect(http.StatusOK, http.MethodGet, manifest, token)
	if elapsed := time.Since(start); len(body) != 300 || elapsed < 300*time.Millisecond {
		t.Errorf("%d bytes at 1000 a second in %v", len(body), elapsed)
	}
}

func TestASharedLineLimitsAllAnswersTogether(t *testing.T) {
	b := newBench(t, standard())
	token := b.token("alice", "s:ecret", "library/demo")
	b.fault(`{"registry": {"mode": "slow", "bytes_per_second": 3000, "shared": true, "only": "blobs"}}`)
	start := time.Now()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { b.expect(http.StatusOK, http.MethodGet, "/v2/library/demo/blobs/sha256:0", token) })
	}
	group.Wait()
	if elapsed := time.Since(start); elapsed < 380*time.Millisecond || elapsed > 2*time.Second {
		t.Errorf("1,200 bytes at 3,000 a second in %v", elapsed)
	}
}

func TestTheStateCountsTheBytesOfEachKind(t *testing.T) {
	b := newBench(t, standard())
	token := b.token("alice", "s:ecret", "library/demo")
	sent := func() map[string]int {
		_, body := b.answer(http.MethodGet, b.control+"/state")
		var state struct{ Bytes map[string]int }
		if err := json.Unmarshal([]byte(body), &state); err != nil {
			t.Fatal(err)
		}
		return state.Bytes
	}
	for range 2 {
		b.expect(http.StatusOK, http.MethodGet, "/v2/library/demo/blobs/sha256:0", token)
	}
	b.expect(http.StatusOK, http.MethodGet, manifest, token)
	if found := sent(); found["blobs"] != 600 || found["manifests"] != 300 {
		t.Errorf("bytes: %v", found)
	}
	b.answer(http.MethodPost, b.control+"/reset")
	if found := sent(); len(found) != 0 {
		t.Errorf("bytes after a reset: %v", found)
	}
}

func TestACorruptAnswerHasOtherContentOfTheSameLength(t *testing.T) {
	b := newBench(t, standard())
	token := b.token("", "", "library/demo")
	b.fault(`{"registry": {"mode": "corrupt", "only": "manifests"}}`)
	response, body := b.expect(http.StatusOK, http.MethodGet, manifest, token)
	if body != "y"+strings.Repeat("x", 299) || response.ContentLength != 300 {
		t.Errorf("the answer: %v %s", response.Header, body)
	}
	if _, body := b.expect(http.StatusOK, http.MethodGet, "/v2/library/demo/blobs/sha256:0", token); body[0] != 'x' {
		t.Errorf("another kind is corrupt: %s", body)
	}
	if _, body := b.expect(http.StatusUnauthorized, http.MethodGet, manifest, ""); !strings.Contains(body, `"UNAUTHORIZED"`) {
		t.Errorf("the challenge is corrupt: %s", body)
	}
}

func TestACorruptManifestNamesAnotherBlob(t *testing.T) {
	hex := strings.Repeat("a", 63)
	for content, want := range map[string]string{
		`{"digest":"sha256:` + hex + `0","next":"sha256:` + hex + `0"}`: `{"digest":"sha256:` + hex + `1","next":"sha256:` + hex + `0"}`,
		`{"digest":"sha256:` + hex + `a"}`:                              `{"digest":"sha256:` + hex + `0"}`,
	} {
		if got := string(corrupted([]byte(content))); got != want {
			t.Errorf("%s: got %s", content, got)
		}
	}
}

func TestAFaultThatMakesNoSenseIsRefused(t *testing.T) {
	b := newBench(t, standard())
	for _, document := range []string{
		`{"registry": {"mode": "broken"}}`,
		`{"registry": {"mode": "status"}}`,
		`{"registry": {"mode": "slow"}}`,
		`{"registry": {"mode": "reset", "shared": true}}`,
		`{"registry": {"mode": "hang", "only": "blob"}}`,
		`{"token": {"mode": "rate-limited"}}`,
		`{"token": {"mode": "corrupt"}}`,
		`{"registri": {}}`,
		`no JSON`,
	} {
		if status, body := b.put("/faults", document); status != http.StatusBadRequest || !strings.Contains(body, `"error"`) {
			t.Errorf("%s: %d %s", document, status, body)
		}
	}
}

func TestReferrersAreTheListOfTheTagSchema(t *testing.T) {
	b := newBench(t, standard())
	token := b.token("", "", "library/demo")
	for subject, want := range map[string]string{
		"sha256:" + strings.Repeat("a", 64): strings.Repeat("x", 300),
		"sha256:" + absentSubject:           emptyIndex,
	} {
		path := "/v2/library/demo/referrers/" + subject
		b.expect(http.StatusUnauthorized, http.MethodGet, path, "")
		response, body := b.expect(http.StatusOK, http.MethodGet, path, token)
		if got := response.Header.Get("Content-Type"); got != indexType || body != want {
			t.Errorf("%s: %s %s", path, got, body)
		}
	}
}
