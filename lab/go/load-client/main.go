// The load client asks a server for one thing over and over, as many clients at once, and counts what it gets. It is
// no stand-in: it measures. Each client is a connection of its own with a token of its own, kept as docker and
// containerd keep theirs: over TLS by HTTP/2 where the server offers it.
//
//	load-client --clients N --seconds S [--authority FILE] [--token URL] [--accept TYPES] URL...
//
// The clients take turns at the URLs. Each asks every URL once before the time runs, so that connections stand and
// whatever is cached is cached. Redirects are followed, as registries' clients do. The result is one line of JSON:
//
//	{"requests": 1000, "failed": 0, "bytes": 20000, "seconds": 3.001, "median_ms": 1.2, "p99_ms": 9.8}
//
// It leaves with 1, and the first failure on standard error, where any request failed.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

// options are the command line's.
type options struct {
	clients          int
	seconds          float64
	authority, token string
	accept           string
	urls             []string
}

// result is what is printed.
type result struct {
	Requests int     `json:"requests"`
	Failed   int     `json:"failed"`
	Bytes    int64   `json:"bytes"`
	Seconds  float64 `json:"seconds"`
	Median   float64 `json:"median_ms"`
	P99      float64 `json:"p99_ms"`
}

// record is what one client saw.
type record struct {
	times   []time.Duration
	bytes   int64
	failure error
	failed  int
}

func main() {
	answer, err := run(parseOptions())
	if answer != nil {
		_ = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load-client:", err)
		os.Exit(1)
	}
}

func parseOptions() options {
	var o options
	flag.IntVar(&o.clients, "clients", 1, "number of clients")
	flag.Float64Var(&o.seconds, "seconds", 3, "how long to go on")
	flag.StringVar(&o.authority, "authority", "", "file of the certificate authority to trust")
	flag.StringVar(&o.token, "token", "", "URL to fetch a token from, once for each client")
	flag.StringVar(&o.accept, "accept", "", "media types of manifests to accept")
	flag.Parse()
	o.urls = flag.Args()
	return o
}

// run warms all clients up, lets them loose at once, and adds up what they saw.
func run(o options) (*result, error) {
	if len(o.urls) == 0 || o.clients < 1 {
		return nil, fmt.Errorf("give at least one client and one URL")
	}
	trust, err := trusted(o.authority)
	if err != nil {
		return nil, err
	}
	clients := make([]*client, o.clients)
	for number := range clients {
		clients[number] = newClient(o, trust)
	}
	if err := together(clients, (*client).warmUp); err != nil {
		return nil, err
	}
	began := time.Now()
	end := began.Add(time.Duration(o.seconds * float64(time.Second)))
	err = together(clients, func(c *client) error { return c.repeat(end) })
	return sum(clients, time.Since(began)), err
}

// trusted is nil, the system's authorities, unless a file is given.
func trusted(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}

// together runs what every client is to do, all at once, and returns the first failure.
func together(clients []*client, do func(*client) error) error {
	failures := make([]error, len(clients))
	var group sync.WaitGroup
	for number, c := range clients {
		group.Go(func() { failures[number] = do(c) })
	}
	group.Wait()
	for _, failure := range failures {
		if failure != nil {
			return failure
		}
	}
	return nil
}

func sum(clients []*client, elapsed time.Duration) *result {
	total := &result{Seconds: elapsed.Seconds()}
	var times []time.Duration
	for _, c := range clients {
		times = append(times, c.seen.times...)
		total.Bytes += c.seen.bytes
		total.Failed += c.seen.failed
	}
	total.Requests = len(times)
	if len(times) > 0 {
		slices.Sort(times)
		total.Median = milliseconds(times[len(times)/2])
		total.P99 = milliseconds(times[len(times)*99/100])
	}
	return total
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// client is one machine that pulls.
type client struct {
	http    *http.Client
	options options
	bearer  string
	buffer  []byte
	seen    record
}

func newClient(o options, trust *x509.CertPool) *client {
	transport := &http.Transport{
		TLSClientConfig:    &tls.Config{RootCAs: trust},
		ForceAttemptHTTP2:  true,
		DisableCompression: true,
	}
	return &client{http: &http.Client{Transport: transport}, options: o, buffer: make([]byte, 256<<10)}
}

// warmUp fetches the token and asks for everything once.
func (c *client) warmUp() error {
	if c.options.token != "" {
		if err := c.fetchToken(); err != nil {
			return err
		}
	}
	for _, url := range c.options.urls {
		if _, err := c.get(url); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) fetchToken() error {
	answer, err := c.http.Get(c.options.token)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var content struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&content); err != nil {
		return fmt.Errorf("%s answered %s: %w", c.options.token, answer.Status, err)
	}
	c.bearer = "Bearer " + content.Token
	return nil
}

// repeat asks until the time is over; a request that was begun is ended.
func (c *client) repeat(end time.Time) error {
	for number := 0; ; number++ {
		began := time.Now()
		if !began.Before(end) {
			return c.seen.failure
		}
		read, err := c.get(c.options.urls[number%len(c.options.urls)])
		if err != nil {
			c.seen.failed++
			c.seen.failure = err
			continue
		}
		c.seen.bytes += read
		c.seen.times = append(c.seen.times, time.Since(began))
	}
}

// get reads one answer to its end.
func (c *client) get(url string) (int64, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	if c.bearer != "" {
		request.Header.Set("Authorization", c.bearer)
	}
	if c.options.accept != "" {
		request.Header.Set("Accept", c.options.accept)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	read, err := io.CopyBuffer(sink{}, answer.Body, c.buffer)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s", url, answer.Status)
	}
	return read, err
}

// sink forgets what it is given; io.Discard would bring small buffers of its own.
type sink struct{}

func (sink) Write(content []byte) (int, error) { return len(content), nil }
