package main

import (
	"bytes"
	"net/http"
)

// wrongByte changes the first byte of a body.
type wrongByte struct {
	*answer
	done bool
}

func (w *wrongByte) Write(data []byte) (int, error) {
	if !w.done && len(data) > 0 {
		w.done = true
		data = bytes.Clone(data)
		data[0] ^= 0xff
	}
	return w.answer.Write(data)
}

// spoil returns the writer of an answer from the registry. The fault "wrong-byte" applies to one answer to a GET.
func (s *state) spoil(answer *answer) http.ResponseWriter {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	f := s.faults.Registry
	if f.Mode != "wrong-byte" || answer.call.Method != http.MethodGet || (f.Only != "" && f.Only != answer.call.Kind) {
		return answer
	}
	s.faults.Registry = fault{}
	return &wrongByte{answer: answer}
}
