package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

const (
	indexType  = "application/vnd.oci.image.index.v1+json"
	emptyIndex = `{"schemaVersion":2,"mediaType":"` + indexType + `","manifests":[]}`
)

// referrers answers the referrers API of the OCI distribution specification 1.1, which the registry behind does not
// have. The lists are those that clients have pushed under the tags of its "Referrers Tag Schema".
type referrers struct {
	registry *url.URL
}

func (r referrers) serve(answer *answer, request *http.Request, repository string) {
	subject := request.URL.Path[strings.LastIndex(request.URL.Path, "/")+1:]
	list := r.registry.JoinPath("v2", repository, "manifests", strings.Replace(subject, ":", "-", 1))
	wanted, err := http.NewRequestWithContext(request.Context(), http.MethodGet, list.String(), nil)
	if err != nil {
		writeError(answer, http.StatusBadRequest, "DIGEST_INVALID", err.Error())
		return
	}
	wanted.Header.Set("Accept", indexType)
	found, err := http.DefaultClient.Do(wanted)
	if err != nil {
		writeError(answer, http.StatusBadGateway, "UNAVAILABLE", err.Error())
		return
	}
	defer found.Body.Close()
	answer.Header().Set("Content-Type", indexType)
	if found.StatusCode != http.StatusOK {
		_, _ = io.WriteString(answer, emptyIndex)
		return
	}
	_, _ = io.Copy(answer, found.Body)
}
