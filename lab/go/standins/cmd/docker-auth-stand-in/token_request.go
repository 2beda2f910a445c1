package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// tokenRequest is a request to /auth.
type tokenRequest struct {
	account, password, service string
	ip                         net.IP
	scopes                     []scope
}

type scope struct {
	kind, name string
	actions    []string
}

// parseTokenRequest parses a token request. Its errors are sent to the client.
func (c *configuration) parseTokenRequest(request *http.Request) (*tokenRequest, error) {
	ip, err := c.Server.clientIP(request)
	if err != nil {
		return nil, err
	}
	account, password, err := credentials(request)
	if err != nil {
		return nil, err
	}
	scopes, err := requestedScopes(request)
	if err != nil {
		return nil, err
	}
	return &tokenRequest{account, password, request.FormValue("service"), ip, scopes}, nil
}

// clientIP is the peer's address, or the address at real_ip_pos in the list of real_ip_header.
func (s serverSettings) clientIP(request *http.Request) (net.IP, error) {
	address := request.RemoteAddr
	if s.RealIPHeader != "" {
		list := strings.Split(request.Header.Get(s.RealIPHeader), ",")
		address = strings.TrimSpace(list[realIPIndex(s.RealIPPosition, len(list))])
		if address == "" {
			return nil, errors.New("client address not provided")
		}
	}
	host := address
	if before, _, err := net.SplitHostPort(address); err == nil {
		host = before
	}
	if ip := net.ParseIP(host); ip != nil {
		return ip, nil
	}
	return nil, fmt.Errorf("unable to parse remote addr %s", address)
}

func realIPIndex(position, length int) int {
	if position < 0 {
		return max(0, length+position)
	}
	if position >= length {
		// docker_auth crashes here, and its client sees the connection closed without an answer.
		panic(http.ErrAbortHandler)
	}
	return position
}

// credentials come from Basic authentication or, in a POST, from the form. The account parameter must be the user of
// Basic authentication.
func credentials(request *http.Request) (account, password string, err error) {
	user, password, basic := request.BasicAuth()
	if !basic && request.Method == http.MethodPost {
		user, password = request.FormValue("username"), request.FormValue("password")
		if user == "" || password == "" {
			user, password = "", ""
		}
	}
	account = request.FormValue("account")
	if account == "" {
		account = user
	}
	if basic && account != user {
		return "", "", fmt.Errorf("user and account are not the same (%q vs %q)", user, account)
	}
	return account, password, nil
}

// requestedScopes parses every scope parameter, a list separated by single spaces. As in docker_auth, the others are
// ignored if the first one is empty.
func requestedScopes(request *http.Request) ([]scope, error) {
	if request.FormValue("scope") == "" {
		return nil, nil
	}
	var scopes []scope
	for _, parameter := range request.Form["scope"] {
		for text := range strings.SplitSeq(parameter, " ") {
			parsed, err := parseScope(text)
			if err != nil {
				return nil, err
			}
			scopes = append(scopes, parsed)
		}
	}
	return scopes, nil
}

var resourceType = regexp.MustCompile(`[a-z0-9]+`)

// parseScope parses TYPE:NAME:ACTION,ACTION where NAME may contain one colon, that of a registry's port. The
// type is the first run of lower-case letters and digits: docker_auth drops a class such as in "repository(plugin)".
func parseScope(text string) (scope, error) {
	parts := strings.Split(text, ":")
	kind := resourceType.FindString(parts[0])
	if kind == "" {
		return scope{}, errors.New("malformed scope request")
	}
	if len(parts) != 3 && len(parts) != 4 {
		return scope{}, fmt.Errorf("invalid scope: %q", text)
	}
	last := len(parts) - 1
	actions := slices.Sorted(strings.SplitSeq(parts[last], ","))
	return scope{kind, strings.Join(parts[1:last], ":"), actions}, nil
}
