package main

import (
	"fmt"
	"net"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// accessList is docker_auth's `acl`: the first entry that matches decides, and no match grants nothing.
type accessList []accessEntry

type accessEntry struct {
	Match   *conditions `yaml:"match"`
	Actions *[]string   `yaml:"actions"`
	Comment string      `yaml:"comment"`
}

// conditions must all hold. One that is absent holds for everything; all but IP are patterns.
type conditions struct {
	Account *string `yaml:"account"`
	Type    *string `yaml:"type"`
	Name    *string `yaml:"name"`
	Service *string `yaml:"service"`
	IP      *string `yaml:"ip"`
}

// accessRequest is what one scope of a token request asks for, and who asks.
type accessRequest struct {
	account, service, kind, name string
	ip                           net.IP
	actions                      []string
}

func (list accessList) validate() error {
	for i, entry := range list {
		if err := entry.validate(); err != nil {
			return fmt.Errorf("acl entry %d: %w", i, err)
		}
	}
	return nil
}

// validate also refuses entries without match or actions: docker_auth takes them and crashes, at start or later.
func (entry accessEntry) validate() error {
	if entry.Match == nil || entry.Actions == nil {
		return fmt.Errorf("match and actions are both needed")
	}
	for _, pattern := range entry.Match.patterns() {
		if expression, ok := expressionOf(*pattern); ok {
			if _, err := regexp.Compile(expression); err != nil {
				return fmt.Errorf("match pattern %q: %w", *pattern, err)
			}
		}
	}
	if entry.Match.IP != nil {
		if _, err := parseNetwork(*entry.Match.IP); err != nil {
			return fmt.Errorf("match ip: %w", err)
		}
	}
	return nil
}

// granted returns the granted ones of the requested actions.
func (list accessList) granted(request accessRequest) []string {
	for _, entry := range list {
		if entry.Match.hold(request) {
			return entry.granted(request.actions)
		}
	}
	return nil
}

// granted returns all requested actions, repetitions included, where the entry's one action is "*".
func (entry accessEntry) granted(requested []string) []string {
	if slices.Equal(*entry.Actions, []string{"*"}) {
		return requested
	}
	var actions []string
	for _, action := range requested {
		if slices.Contains(*entry.Actions, action) && !slices.Contains(actions, action) {
			actions = append(actions, action)
		}
	}
	return actions
}

func (c *conditions) patterns() map[string]*string {
	patterns := map[string]*string{"account": c.Account, "type": c.Type, "name": c.Name, "service": c.Service}
	for key, pattern := range patterns {
		if pattern == nil {
			delete(patterns, key)
		}
	}
	return patterns
}

func (c *conditions) hold(request accessRequest) bool {
	values := map[string]string{
		"account": request.account, "type": request.kind, "name": request.name, "service": request.service,
	}
	patterns := c.patterns()
	variables := strings.NewReplacer(append(plainVariables(values), capturedVariables(patterns, values)...)...)
	for key, pattern := range patterns {
		if !matches(variables.Replace(*pattern), values[key]) {
			return false
		}
	}
	return c.IP == nil || networkContains(*c.IP, request.ip)
}

// plainVariables pairs "${account}" and its like with the request's value, quoted so that it stands for itself.
func plainVariables(values map[string]string) []string {
	var pairs []string
	for key, value := range values {
		pairs = append(pairs, "${"+key+"}", regexp.QuoteMeta(value))
	}
	return pairs
}

var captureVariable = regexp.MustCompile(`[$][{](.+?):([0-9]+)[}]`)

// capturedVariables pairs "${account:1}" and its like with what that group of the account's /regex/ captured. As in
// docker_auth the text is not quoted, and a variable that names no such group stays as it is.
func capturedVariables(patterns map[string]*string, values map[string]string) []string {
	var pairs []string
	for _, pattern := range patterns {
		for _, found := range captureVariable.FindAllStringSubmatch(*pattern, -1) {
			key := strings.ToLower(found[1][:1]) + found[1][1:]
			if text, ok := captured(patterns[key], values[key], found[2]); ok {
				pairs = append(pairs, found[0], text)
			}
		}
	}
	return pairs
}

func captured(pattern *string, value, group string) (string, bool) {
	if pattern == nil {
		return "", false
	}
	expression, ok := expressionOf(*pattern)
	if !ok {
		return "", false
	}
	compiled, err := regexp.Compile(expression)
	if err != nil {
		return "", false
	}
	groups := compiled.FindStringSubmatch(value)
	index, err := strconv.Atoi(group)
	if err != nil || index < 1 || index >= len(groups) {
		return "", false
	}
	return groups[index], true
}

// expressionOf returns what is between the slashes of a "/regex/"; every other pattern is a path.Match glob.
func expressionOf(pattern string) (string, bool) {
	if len(pattern) > 2 && pattern[0] == '/' && pattern[len(pattern)-1] == '/' {
		return pattern[1 : len(pattern)-1], true
	}
	return "", false
}

func matches(pattern, value string) bool {
	if expression, ok := expressionOf(pattern); ok {
		matched, err := regexp.MatchString(expression, value)
		return err == nil && matched
	}
	matched, err := path.Match(pattern, value)
	return err == nil && matched
}

func networkContains(pattern string, ip net.IP) bool {
	network, err := parseNetwork(pattern)
	return err == nil && network.Contains(ip)
}

// parseNetwork reads an address or a CIDR block.
func parseNetwork(pattern string) (*net.IPNet, error) {
	if ip := net.ParseIP(pattern); ip != nil {
		bits := 8 * net.IPv6len
		return &net.IPNet{IP: ip.To16(), Mask: net.CIDRMask(bits, bits)}, nil
	}
	_, network, err := net.ParseCIDR(pattern)
	return network, err
}
