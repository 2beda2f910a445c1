package main

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
)

// limits are the pull limits of an address without an account and of an account, per six hours. 0 means no limit.
type limits struct {
	Anonymous int `json:"anonymous"`
	Account   int `json:"account"`
}

// takePull counts a manifest request as a pull and sets the headers of its answer; it reports whether the limit allows
// it. As on Docker Hub, a HEAD is not a pull and is answered even if the limit is reached.
func (s *state) takePull(answer *answer, address string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	who, source, limit := address, address, s.limits.Anonymous
	if answer.call.Account != "" {
		who, source, limit = answer.call.Account, accountID(answer.call.Account), s.limits.Account
	}
	forced := s.faults.Registry.Mode == "rate-limited"
	left := limit == 0 || s.pulls[who] < limit
	allowed := answer.call.Method != http.MethodGet || (left && !forced)
	if allowed && answer.call.Method == http.MethodGet {
		s.pulls[who]++
	}
	answer.Header().Set("Docker-RateLimit-Source", source)
	if limit > 0 || forced {
		remaining := max(0, limit-s.pulls[who])
		if forced {
			remaining = 0
		}
		answer.Header().Set("RateLimit-Limit", fmt.Sprintf("%d;w=21600", limit))
		answer.Header().Set("RateLimit-Remaining", fmt.Sprintf("%d;w=21600", remaining))
	}
	return allowed
}

// refusePull answers that the limit is reached, with Docker Hub's text.
func refusePull(answer *answer) {
	kind := ""
	if answer.call.Account == "" {
		kind = "unauthenticated "
	}
	message := "You have reached your " + kind + "pull rate limit. https://www.docker.com/increase-rate-limit"
	writeError(answer, http.StatusTooManyRequests, "TOOMANYREQUESTS", message)
}

// accountID has the format of Docker Hub's account identifiers.
func accountID(account string) string {
	sum := sha256.Sum256([]byte(account))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func clientAddress(request *http.Request) string {
	host, _, err := net.SplitHostPort(request.RemoteAddr)
	if err != nil {
		return request.RemoteAddr
	}
	return host
}
