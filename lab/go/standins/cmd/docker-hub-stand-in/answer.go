package main

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"regexp"
)

// answer reports its call to the state before it sends the first byte, so that the request is listed when a client
// has read the answer. It can be slow, have another content than its headers say, or abort.
type answer struct {
	http.ResponseWriter
	call    *call
	state   *state
	line    *line // nil if its speed is unlimited
	corrupt bool
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	a.call.Status = status
	a.state.count(a.call)
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(data []byte) (int, error) {
	if a.call.Status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.corrupt && a.call.Status == http.StatusOK && len(data) > 0 {
		a.corrupt, data = false, corrupted(data)
	}
	if a.line == nil {
		return a.send(data)
	}
	return a.sendSlowly(data)
}

var digest = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// corrupted returns other content of the same length. A manifest stays valid JSON and names another blob; of other
// content, the first byte is changed.
func corrupted(data []byte) []byte {
	changed := bytes.Clone(data)
	found := digest.FindIndex(data)
	switch {
	case found == nil:
		changed[0] ^= 1
	case data[found[1]-1] == '0':
		changed[found[1]-1] = '1'
	default:
		changed[found[1]-1] = '0'
	}
	return changed
}

func (a *answer) send(data []byte) (int, error) {
	n, err := a.ResponseWriter.Write(data)
	a.state.countBytes(a.call.Kind, n)
	return n, err
}

// sendSlowly sends each part when it has passed through the line.
func (a *answer) sendSlowly(data []byte) (written int, err error) {
	part := a.line.part()
	for written < len(data) && err == nil {
		end := min(written+part, len(data))
		a.line.pass(end - written)
		var n int
		n, err = a.send(data[written:end])
		written += n
		if err == nil {
			err = http.NewResponseController(a.ResponseWriter).Flush()
		}
	}
	return written, err
}

// hang waits until the client has given up.
func (a *answer) hang(request *http.Request) {
	a.state.count(a.call)
	<-request.Context().Done()
	panic(http.ErrAbortHandler)
}

// reset ends the connection without an answer: the client sees "connection reset by peer".
func (a *answer) reset() {
	a.state.count(a.call)
	connection, _, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if encrypted, ok := connection.(*tls.Conn); ok {
		connection = encrypted.NetConn()
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
}
