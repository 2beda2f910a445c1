package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// client simulates one machine that pulls.
type client struct {
	http    *http.Client
	options options
	bearer  string
	buffer  []byte
	seen    record
}

func newClient(o options, trust *x509.CertPool) *client {
	dialer := &net.Dialer{}
	if o.slow > 0 {
		dialer.Control = withSmallBuffer
	}
	transport := &http.Transport{
		DialContext:        dialer.DialContext,
		TLSClientConfig:    &tls.Config{RootCAs: trust},
		ForceAttemptHTTP2:  true,
		DisableCompression: true,
	}
	return &client{
		http:    &http.Client{Transport: transport},
		options: o,
		buffer:  make([]byte, bufferSize(o)),
		seen:    record{statuses: map[string]int{}},
	}
}

// bufferSize is how much a client reads at a time: a slow one reads ten times a second.
func bufferSize(o options) int {
	if o.slow > 0 {
		return max(1, o.slow/10)
	}
	return 256 << 10
}

// withSmallBuffer sets the kernel's buffer for received data, which otherwise grows to several MB: then the client would
// not look slow to the server.
func withSmallBuffer(_, _ string, connection syscall.RawConn) error {
	var failure error
	err := connection.Control(func(descriptor uintptr) {
		failure = syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 64<<10)
	})
	return errors.Join(err, failure)
}

// warmUp requests the token and, unless the URLs are requested only once, every URL.
func (c *client) warmUp() error {
	if c.options.token != "" {
		if err := c.fetchToken(); err != nil {
			return err
		}
	}
	if c.options.once || c.options.slow > 0 {
		return nil
	}
	defer func() { c.seen = record{statuses: map[string]int{}} }()
	for _, url := range c.options.urls {
		if err := c.get(url, time.Time{}); err != nil {
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

// work does what the options demand until the time is over.
func (c *client) work(end time.Time) error {
	if !c.options.once && c.options.slow == 0 {
		return c.repeat(end)
	}
	for _, url := range c.options.urls {
		if err := c.get(url, end); err != nil {
			c.seen.failed++
			c.seen.failure = err
		}
	}
	return c.seen.failure
}

// repeat sends requests until the time is over, and completes the last one.
func (c *client) repeat(end time.Time) error {
	for number := 0; ; number++ {
		if !time.Now().Before(end) {
			return c.seen.failure
		}
		if err := c.get(c.options.urls[number%len(c.options.urls)], end); err != nil {
			c.seen.failed++
			c.seen.failure = err
		}
	}
}

// get sends one request, reads the answer and records it.
func (c *client) get(url string, end time.Time) error {
	began := time.Now()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if c.bearer != "" {
		request.Header.Set("Authorization", c.bearer)
	}
	if c.options.accept != "" {
		request.Header.Set("Accept", c.options.accept)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if err := c.read(answer.Body, began, end); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK && !c.options.once {
		return fmt.Errorf("%s answered %s", url, answer.Status)
	}
	c.seen.statuses[strconv.Itoa(answer.StatusCode)]++
	c.seen.times = append(c.seen.times, time.Since(began))
	return nil
}

// read discards the body; a slow client stops at the end of the time.
func (c *client) read(body io.Reader, began, end time.Time) error {
	for first := true; ; {
		number, err := body.Read(c.buffer)
		if first && number > 0 {
			c.seen.firstBytes = append(c.seen.firstBytes, time.Since(began))
			first = false
		}
		c.seen.bytes += int64(number)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if c.options.slow > 0 {
			if !time.Now().Before(end) {
				return nil
			}
			time.Sleep(time.Duration(number) * time.Second / time.Duration(c.options.slow))
		}
	}
}
