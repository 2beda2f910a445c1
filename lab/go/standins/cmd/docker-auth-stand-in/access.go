package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
)

// accessList is docker_auth's `acl`: the first entry that matches decides, and no match grants nothing.
type accessList []accessEntry

type accessEntry struct {
	Match   *conditions `yaml:"match"`
	Actions *[]string   `yaml:"actions"`
	Comment string      `yaml:"comment"`
}

// conditions must all match. An absent one matches everything; all except IP are patterns.
type conditions struct {
	Account *string `yaml:"account"`
	Type    *string `yaml:"type"`
	Name    *string `yaml:"name"`
	Service *string `yaml:"service"`
	IP      *string `yaml:"ip"`
	// Labels has a pattern for each label; one value of the account's label must match it.
	Labels map[string]string `yaml:"labels"`
}

// accessRequest is one scope of a token request, and the client that requests it.
type accessRequest struct {
	account, service, kind, name string
	ip                           net.IP
	labels                       labels
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

// validate also rejects entries without match or actions: docker_auth accepts them and crashes, at start or later.
func (entry accessEntry) validate() error {
	if entry.Match == nil || entry.Actions == nil {
		return errors.New("match and actions are both required")
	}
	patterns := slices.Collect(maps.Values(entry.Match.patterns()))
	for _, pattern := range slices.AppendSeq(patterns, maps.Values(entry.Match.Labels)) {
		if strings.Contains(pattern, "${labels:") {
			return fmt.Errorf("match pattern %q: the stand-in does not support variables of labels", pattern)
		}
		if expression, ok := expressionOf(pattern); ok {
			if _, err := regexp.Compile(expression); err != nil {
				return fmt.Errorf("match pattern %q: %w", pattern, err)
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

// granted returns the requested actions that are granted.
func (list accessList) granted(request accessRequest) []string {
	for _, entry := range list {
		if entry.Match.hold(request) {
			return entry.granted(request.actions)
		}
	}
	return nil
}

// granted returns all requested actions, including repetitions, if the only action of the entry is "*".
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

// patterns returns the patterns of the entry, by their key.
func (c *conditions) patterns() map[string]string {
	patterns := map[string]string{}
	for key, pattern := range map[string]*string{
		"account": c.Account, "type": c.Type, "name": c.Name, "service": c.Service,
	} {
		if pattern != nil {
			patterns[key] = *pattern
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
		if !matches(variables.Replace(pattern), values[key]) {
			return false
		}
	}
	return (c.IP == nil || networkContains(*c.IP, request.ip)) && c.holdLabels(request.labels, variables)
}

// holdLabels replaces the same variables in the patterns of labels as in all others.
func (c *conditions) holdLabels(labels labels, variables *strings.Replacer) bool {
	for label, pattern := range c.Labels {
		expanded := variables.Replace(pattern)
		if !slices.ContainsFunc(labels[label], func(value string) bool { return matches(expanded, value) }) {
			return false
		}
	}
	return true
}
