package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestAWrongByteIsSentOnce(t *testing.T) {
	const blob = "/v2/library/demo/blobs/sha256:0"
	right := strings.Repeat("x", 300)
	wrong := string([]byte{'x' ^ 0xff}) + right[1:]
	b := newBench(t, standard())
	token := b.token("", "", "library/demo")
	b.fault(`{"registry": {"mode": "wrong-byte", "only": "blobs"}}`)
	b.expect(http.StatusOK, http.MethodHead, blob, token)
	for _, step := range []struct{ path, want string }{{manifest, right}, {blob, wrong}, {blob, right}} {
		if _, body := b.expect(http.StatusOK, http.MethodGet, step.path, token); body != step.want {
			t.Errorf("%s: %q instead of %q", step.path, body, step.want)
		}
	}
}
