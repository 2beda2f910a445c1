package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// state is the data of the control interface.
type state struct {
	mutex    sync.Mutex
	faults   faults
	limits   limits
	pulls    map[string]int
	requests map[call]int
	bytes    map[string]int
	// lines are those of the shared faults.
	lines map[fault]*line
	seen  sightings
}

// faults are the current faults of the stand-in.
type faults struct {
	Down     bool  `json:"down"`
	Registry fault `json:"registry"`
	Token    fault `json:"token"`
}

type fault struct {
	Mode           string `json:"mode,omitempty"`
	Status         int    `json:"status,omitempty"`
	BytesPerSecond int    `json:"bytes_per_second,omitempty"`
	Shared         bool   `json:"shared,omitempty"`
	Only           string `json:"only,omitempty"`
}

func newState(l limits) *state {
	return &state{limits: l, pulls: map[string]int{}, requests: map[call]int{}, bytes: map[string]int{}}
}

func (f faults) validate() error {
	if f.Token.Mode == "rate-limited" || f.Token.Mode == "corrupt" {
		return fmt.Errorf("token: mode %s is only valid for the registry", f.Token.Mode)
	}
	if err := f.Registry.validate(); err != nil {
		return fmt.Errorf("registry: %w", err)
	}
	if err := f.Token.validate(); err != nil {
		return fmt.Errorf("token: %w", err)
	}
	return nil
}

func (f fault) validate() error {
	if f.Only != "" && !slices.Contains(kinds, f.Only) {
		return fmt.Errorf("only: must be one of %s, not %q", strings.Join(kinds, ", "), f.Only)
	}
	if f.Shared && f.Mode != "slow" {
		return errors.New("shared: requires mode slow")
	}
	switch {
	case f.Mode == "", f.Mode == "hang", f.Mode == "reset", f.Mode == "rate-limited", f.Mode == "corrupt":
		return nil
	case f.Mode == "status" && f.Status >= 400 && f.Status <= 599:
		return nil
	case f.Mode == "slow" && f.BytesPerSecond > 0:
		return nil
	}
	return errors.New("mode: must be hang, reset, rate-limited, corrupt, status (with a status from 400 to 599)" +
		" or slow (with a positive bytes_per_second)")
}

// faultFor returns the fault for a request of this kind, or the zero fault, and the line of a slow answer.
func (s *state) faultFor(kind string) (fault, *line) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	f := s.faults.Registry
	if kind == "token" {
		f = s.faults.Token
	}
	if f.Only != "" && f.Only != kind {
		return fault{}, nil
	}
	return f, s.lineFor(f)
}

// lineFor returns the line for an answer with this fault: one of its own unless the fault is shared.
func (s *state) lineFor(f fault) *line {
	if f.BytesPerSecond == 0 {
		return nil
	}
	if found, ok := s.lines[f]; ok {
		return found
	}
	made := newLine(f.BytesPerSecond)
	if f.Shared {
		s.lines[f] = made
	}
	return made
}

func (s *state) setFaults(f faults) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.faults = f
	s.lines = map[fault]*line{}
}

func (s *state) setLimits(l limits) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.limits = l
}

// count records a request when its answer begins, or when it gets none.
func (s *state) count(c *call) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.requests[*c]++
}

// countBytes records bytes of bodies that were sent.
func (s *state) countBytes(kind string, n int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.bytes[kind] += n
}

func (s *state) reset() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	clear(s.pulls)
	clear(s.requests)
	clear(s.bytes)
	s.seen.reset()
}

type countedCall struct {
	call
	Count int `json:"count"`
}

func compareCalls(a, b call) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Method, b.Method),
		cmp.Compare(a.Account, b.Account), cmp.Compare(a.Status, b.Status))
}

// report is the state in the format of the control interface.
func (s *state) report() map[string]any {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	requests := []countedCall{}
	for _, c := range slices.SortedFunc(maps.Keys(s.requests), compareCalls) {
		requests = append(requests, countedCall{c, s.requests[c]})
	}
	return map[string]any{
		"faults": s.faults, "limits": s.limits, "pulls": maps.Clone(s.pulls), "requests": requests,
		"bytes": maps.Clone(s.bytes), "seen": s.seen.report(),
	}
}
