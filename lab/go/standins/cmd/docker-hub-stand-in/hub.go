package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
)

const service = "registry.docker.io"

// hub answers clients like Docker Hub.
type hub struct {
	realm     string
	registry  http.Handler
	referrers referrers
	tokens    *tokenIssuer
	state     *state
}

func newHub(o options, registry *url.URL, state *state) *hub {
	proxy := &httputil.ReverseProxy{Rewrite: func(request *httputil.ProxyRequest) {
		request.SetURL(registry)
		request.Out.Header.Del("Authorization")
	}}
	return &hub{o.realm, proxy, referrers{registry}, newTokenIssuer(o.accounts, o.private, o.absent), state}
}

// call is one request of a client. The control interface lists the exported fields.
type call struct {
	Method     string `json:"method"`
	Kind       string `json:"kind"`
	Repository string `json:"repository"`
	Account    string `json:"account"`
	Status     int    `json:"status"`
}

// kinds are the kinds of calls.
var kinds = []string{"ping", "manifests", "blobs", "tags", "referrers", "token", "other"}

var repositoryPath = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs|tags|referrers)/[^/]+$`)

func newCall(request *http.Request) *call {
	c := &call{Method: request.Method, Kind: "other"}
	if request.URL.Path == "/token" {
		c.Kind = "token"
	} else if request.URL.Path == "/v2/" {
		c.Kind = "ping"
	} else if found := repositoryPath.FindStringSubmatch(request.URL.Path); found != nil {
		c.Repository, c.Kind = found[1], found[2]
	}
	return c
}

func (h *hub) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	c := newCall(request)
	answer := &answer{ResponseWriter: writer, call: c, state: h.state}
	answer.Header().Set("X-Regmirror-Lab", "Docker Hub stand-in")
	fault, line := h.state.faultFor(c.Kind)
	answer.line = line
	answer.corrupt = fault.Mode == "corrupt"
	switch {
	case fault.Mode == "hang":
		answer.hang(request)
	case fault.Mode == "reset":
		answer.reset()
	case fault.Mode == "status":
		h.refuse(answer, fault.Status)
	case c.Kind == "token":
		h.tokens.serve(answer, request)
	case strings.HasPrefix(request.URL.Path, "/v2/"):
		h.serveRegistry(answer, request)
	default:
		http.NotFound(answer, request)
	}
}

// refuse answers with the status of the fault.
func (h *hub) refuse(answer *answer, status int) {
	switch {
	case status == http.StatusUnauthorized && answer.call.Kind == "token":
		refuseLogin(answer)
	case status == http.StatusUnauthorized:
		h.challenge(answer, "invalid_token")
	case status == http.StatusTooManyRequests:
		http.Error(answer, "Too Many Requests", status)
	default:
		writeError(answer, status, "UNAVAILABLE", strings.ToLower(http.StatusText(status)))
	}
}

// serveRegistry forwards a request with a valid token to the registry, unless it is a pull and the limit is reached.
func (h *hub) serveRegistry(answer *answer, request *http.Request) {
	c := answer.call
	text, ok := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
	if !ok {
		h.challenge(answer, "")
		return
	}
	token, err := h.tokens.verify(text)
	if err != nil {
		h.challenge(answer, "invalid_token")
		return
	}
	c.Account = token.Account
	if !token.allows(c) {
		h.challenge(answer, "insufficient_scope")
		return
	}
	if c.Kind == "manifests" && !h.state.takePull(answer, clientAddress(request)) {
		refusePull(answer)
		return
	}
	if c.Kind == "referrers" && c.Method == http.MethodGet {
		h.referrers.serve(answer, request, c.Repository)
		return
	}
	h.registry.ServeHTTP(answer, request)
}

// challenge requests a token, like Docker Hub's registry.
func (h *hub) challenge(answer *answer, problem string) {
	challenge := fmt.Sprintf(`Bearer realm="%s",service="%s"`, h.realm, service)
	if scope := answer.call.scope(); scope != "" {
		challenge += fmt.Sprintf(`,scope="%s"`, scope)
	}
	if problem != "" {
		challenge += fmt.Sprintf(`,error="%s"`, problem)
	}
	answer.Header().Set("WWW-Authenticate", challenge)
	writeError(answer, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
}

// scope is the scope that the token of the call must have; empty if any token is valid.
func (c *call) scope() string {
	switch {
	case c.Kind == "ping":
		return ""
	case c.Repository == "":
		return "registry:catalog:*"
	case c.Method == http.MethodGet || c.Method == http.MethodHead:
		return "repository:" + c.Repository + ":pull"
	default:
		return "repository:" + c.Repository + ":pull,push"
	}
}

// writeError answers in the format of the distribution specification, "Error Codes".
func writeError(writer http.ResponseWriter, status int, code, message string) {
	writer.Header().Set("Content-Type", "application/json")
	writer.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	writer.WriteHeader(status)
	_ = json.NewEncoder(writer).Encode(map[string]any{"errors": []any{map[string]string{"code": code, "message": message}}})
}
