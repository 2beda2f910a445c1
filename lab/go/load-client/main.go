// The load client sends requests to a server from many clients at once and measures the answers. Each client has its
// own connection and token, which it keeps as docker and containerd do; over TLS it uses HTTP/2 if the server offers it.
//
//	load-client --clients N --seconds S [--authority FILE] [--token URL] [--accept TYPES] URL...
//
// The clients request the URLs in turn. Each requests every URL once before the measurement starts, to open connections
// and fill caches. They follow redirects, as registry clients do. The result is one line of JSON:
//
//	{"requests": 1000, "failed": 0, "bytes": 20000, "seconds": 3.001, "median_ms": 1.2, "p99_ms": 9.8}
//
// If a request failed, it prints the first failure to standard error and exits with 1.
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

// options are the options of the command line.
type options struct {
	clients          int
	seconds          float64
	authority, token string
	accept           string
	urls             []string
}

// result is the output.
type result struct {
	Requests int     `json:"requests"`
	Failed   int     `json:"failed"`
	Bytes    int64   `json:"bytes"`
	Seconds  float64 `json:"seconds"`
	Median   float64 `json:"median_ms"`
	P99      float64 `json:"p99_ms"`
}

// record contains the measurements of one client.
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
	flag.Float64Var(&o.seconds, "seconds", 3, "duration of the measurement")
	flag.StringVar(&o.authority, "authority", "", "file with the CA certificates to trust")
	flag.StringVar(&o.token, "token", "", "URL for tokens; each client requests one")
	flag.StringVar(&o.accept, "accept", "", "media types of manifests to accept")
	flag.Parse()
	o.urls = flag.Args()
	return o
}

// run warms up all clients, starts them at once, and combines their measurements.
func run(o options) (*result, error) {
	if len(o.urls) == 0 || o.clients < 1 {
		return nil, fmt.Errorf("requires at least one client and one URL")
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

// trusted returns the certificates of a file, or nil (the system's CA certificates) without a file.
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
		return nil, fmt.Errorf("%s contains no certificate", file)
	}
	return pool, nil
}

// together runs a function for all clients in parallel and returns the first failure.
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

// client simulates one machine that pulls.
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

// warmUp requests the token, and every URL once.
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

// repeat sends requests until the time is over, and completes the last one.
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

// get sends one request and reads the answer completely.
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

// sink discards its input; io.Discard would use small buffers.
type sink struct{}

func (sink) Write(content []byte) (int, error) { return len(content), nil }
