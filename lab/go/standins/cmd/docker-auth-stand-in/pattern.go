package main

import (
	"net"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// plainVariables maps "${account}" and similar variables to the value in the request, quoted to match literally.
func plainVariables(values map[string]string) []string {
	var pairs []string
	for key, value := range values {
		pairs = append(pairs, "${"+key+"}", regexp.QuoteMeta(value))
	}
	return pairs
}

var captureVariable = regexp.MustCompile(`[$][{](.+?):([0-9]+)[}]`)

// capturedVariables maps "${account:1}" and similar variables to the capture group of the account's /regex/. As in
// docker_auth, the text is not quoted, and a variable without such a group is not replaced.
func capturedVariables(patterns, values map[string]string) []string {
	var pairs []string
	for _, pattern := range patterns {
		for _, found := range captureVariable.FindAllStringSubmatch(pattern, -1) {
			key := strings.ToLower(found[1][:1]) + found[1][1:]
			groups := capturedGroups(patterns[key], values[key])
			if group, err := strconv.Atoi(found[2]); err == nil && group > 0 && group < len(groups) {
				pairs = append(pairs, found[0], groups[group])
			}
		}
	}
	return pairs
}

// capturedGroups is empty if the pattern is not a /regex/ or does not match.
func capturedGroups(pattern, value string) []string {
	expression, ok := expressionOf(pattern)
	if !ok {
		return nil
	}
	compiled, err := regexp.Compile(expression)
	if err != nil {
		return nil
	}
	return compiled.FindStringSubmatch(value)
}

// expressionOf returns the expression between the slashes of "/regex/"; every other pattern is a path.Match glob.
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
