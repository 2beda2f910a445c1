package main

import (
	"bytes"
	"net"
	"net/http"
	"regexp"
	"time"
)

// answer reports its call to the state before it sends the first byte, so that the request is listed when a client
// has read the answer. It can be slow, have another content than its headers say, or abort.
type answer struct {
	http.ResponseWriter
	call           *call
	state          *state
	bytesPerSecond int
	corrupt        bool
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
	if a.bytesPerSecond == 0 {
		return a.ResponseWriter.Write(data)
	}
	return a.writeSlowly(data)
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

// writeSlowly sends the bytes of at most a tenth of a second at a time, after that time has passed.
func (a *answer) writeSlowly(data []byte) (written int, err error) {
	part := max(1, a.bytesPerSecond/10)
	for written < len(data) && err == nil {
		end := min(written+part, len(data))
		time.Sleep(time.Duration(end-written) * time.Second / time.Duration(a.bytesPerSecond))
		var n int
		n, err = a.ResponseWriter.Write(data[written:end])
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
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
}
