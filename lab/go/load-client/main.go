// The load client sends requests to a server from many clients at once and measures the answers. Each client has its
// own connection and token, which it keeps as docker and containerd do; over TLS it uses HTTP/2 if the server offers it.
//
//	load-client --clients N --seconds S [--once | --slow BYTES_PER_SECOND] [--authority FILE] [--token URL]
//	    [--accept TYPES] URL...
//
// The clients request the URLs in turn. Each requests every URL once before the measurement starts, to open connections
// and fill caches. They follow redirects, as registry clients do. The result is one line of JSON:
//
//	{"requests": 1000, "failed": 0, "bytes": 20000, "seconds": 3.001, "median_ms": 1.2, "p99_ms": 9.8,
//	 "first_byte_ms": 0.9, "statuses": {"200": 1000}}
//
// first_byte_ms is the median of the times until the first byte of a body.
//
// With --once, the clients only request tokens before the measurement, and then each requests every URL once, all at the
// same time. Every status is a result.
//
// With --slow, too, each requests every URL once, but reads at this speed, and stops when the time is over.
//
// If a request failed, it prints the first failure to standard error and exits with 1.
package main

import (
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"
)

// options are the options of the command line.
type options struct {
	clients          int
	seconds          float64
	once             bool
	slow             int
	authority, token string
	accept           string
	urls             []string
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
	flag.BoolVar(&o.once, "once", false, "request every URL once, all clients at the same time")
	flag.IntVar(&o.slow, "slow", 0, "request every URL once, and read this many bytes per second")
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
	err = together(clients, func(c *client) error { return c.work(end) })
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
