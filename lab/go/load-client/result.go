package main

import (
	"slices"
	"time"
)

// result is the output.
type result struct {
	Requests int     `json:"requests"`
	Failed   int     `json:"failed"`
	Bytes    int64   `json:"bytes"`
	Seconds  float64 `json:"seconds"`
	Median   float64 `json:"median_ms"`
	P99      float64 `json:"p99_ms"`

	FirstByte float64        `json:"first_byte_ms"`
	Statuses  map[string]int `json:"statuses"`
}

// record contains the measurements of one client.
type record struct {
	times      []time.Duration
	firstBytes []time.Duration
	statuses   map[string]int
	bytes      int64
	failure    error
	failed     int
}

func sum(clients []*client, elapsed time.Duration) *result {
	total := &result{Seconds: elapsed.Seconds(), Statuses: map[string]int{}}
	var times, firstBytes []time.Duration
	for _, c := range clients {
		times = append(times, c.seen.times...)
		firstBytes = append(firstBytes, c.seen.firstBytes...)
		for status, number := range c.seen.statuses {
			total.Statuses[status] += number
		}
		total.Bytes += c.seen.bytes
		total.Failed += c.seen.failed
	}
	total.Requests = len(times)
	if len(times) > 0 {
		slices.Sort(times)
		total.Median = milliseconds(times[len(times)/2])
		total.P99 = milliseconds(times[len(times)*99/100])
	}
	if len(firstBytes) > 0 {
		slices.Sort(firstBytes)
		total.FirstByte = milliseconds(firstBytes[len(firstBytes)/2])
	}
	return total
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
