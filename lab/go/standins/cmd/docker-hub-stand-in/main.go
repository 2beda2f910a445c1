// The Docker Hub stand-in adds the behavior of Docker Hub to a plain registry: Bearer challenges, a token endpoint,
// accounts, private repositories, referrers, pull limits and, on request, outages. Every answer has the header
// "X-Regmirror-Lab: Docker Hub stand-in".
//
//	docker-hub-stand-in --listen ADDRESS --registry URL --control ADDRESS [--realm URL] [--certificate FILE --key FILE]
//	    [--account USER:PASSWORD]... [--private GLOB]... [--absent GLOB]...
//	    [--anonymous-limit N] [--account-limit N]
//
// With a certificate, clients are served with TLS.
//
// The token endpoint is /token on the same host and port, because registry 3.1 sends its credentials nowhere else. A
// repository whose name matches --private (a path.Match glob) is visible only to accounts. One that matches --absent
// does not exist, which Docker Hub does not say: a token does not allow it, and the answer is 401. Pull limits count GETs of
// manifests, not HEADs, per account, or per IP address without an account; 0 means no limit. Only a reset clears the
// counts, not time. Only pulls are served: push to the upstream registry directly.
//
// The control address speaks JSON:
//
//	GET  /state   the faults and limits below, "pulls" by account or address, and "requests": [{"method": "GET", "kind":
//	              "manifests", "repository": "library/demo", "account": "", "status": 200, "count": 1}, ...].
//	              A request is listed when its answer begins; kind is one of ping, manifests, blobs, tags,
//	              referrers, token, other; status 0 means no answer. "bytes" are those sent in bodies, by kind.
//	              "seen" has the number of "connections", also of clients that did not trust the certificate, and the
//	              first 1,000 "requests" one by one, in their order: {"method": "GET", "host": "docker.io",
//	              "path": "/token", "credentials": [{"kind": "basic", "user": "me", "sha256": "<of the password>"}]}
//	PUT  /faults  {"down": false, "registry": FAULT, "token": FAULT}: an omitted key has no fault, so {} ends every
//	              fault. "down" refuses connections. FAULT is one of
//	                {"mode": "status", "status": 503}          answers with the status (401, 429: Docker Hub's body)
//	                {"mode": "rate-limited"}                   answers as if the pull limit was reached (registry only)
//	                {"mode": "hang"}                           accepts and never answers
//	                {"mode": "reset"}                          resets the connection
//	                {"mode": "slow", "bytes_per_second": 1000} sends each answer slowly; with "shared": true, all
//	                                                           answers together have this speed
//	                {"mode": "corrupt"}                        changes the content of 200s, but not their length and
//	                                                           headers; manifests stay valid (registry only)
//	              "only": "blobs" in a FAULT restricts it to one kind of request.
//	PUT  /limits  {"anonymous": 100, "account": 200}
//	POST /reset   clears requests, bytes, pulls and what was seen
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path"
	"strings"
	"syscall"
)

// options are the options of the command line.
type options struct {
	listen, registry, control, realm string
	certificate, key                 string
	accounts                         map[string]string
	private, absent                  []string
	limits                           limits
}

func main() {
	log.SetPrefix("Docker Hub stand-in: ")
	log.SetFlags(log.LstdFlags | log.LUTC | log.Lmsgprefix)
	if err := run(parseOptions()); err != nil {
		log.Fatal(err)
	}
}

func parseOptions() options {
	o := options{accounts: map[string]string{}}
	flag.StringVar(&o.listen, "listen", "127.0.0.1:5000", "address of the registry and its token endpoint")
	flag.StringVar(&o.registry, "registry", "", "URL of the upstream registry, without authentication")
	flag.StringVar(&o.control, "control", "127.0.0.1:5001", "address of the control interface")
	flag.StringVar(&o.realm, "realm", "", "URL that clients fetch tokens from (default http://LISTEN/token)")
	flag.StringVar(&o.certificate, "certificate", "", "PEM file of the certificate, to serve clients with TLS")
	flag.StringVar(&o.key, "key", "", "PEM file of the certificate's private key")
	flag.Func("account", "USER:PASSWORD of an account; may be repeated", func(text string) error {
		user, password, ok := strings.Cut(text, ":")
		if !ok || user == "" {
			return fmt.Errorf("expected USER:PASSWORD")
		}
		o.accounts[user] = password
		return nil
	})
	globs := func(found *[]string) func(string) error {
		return func(glob string) error {
			*found = append(*found, glob)
			_, err := path.Match(glob, "")
			return err
		}
	}
	flag.Func("private", "glob of repositories that only accounts can see; may be repeated", globs(&o.private))
	flag.Func("absent", "glob of repositories that do not exist; may be repeated", globs(&o.absent))
	flag.IntVar(&o.limits.Anonymous, "anonymous-limit", 100, "pull limit per address, 0 for no limit")
	flag.IntVar(&o.limits.Account, "account-limit", 200, "pull limit per account, 0 for no limit")
	flag.Parse()
	return o
}

// run serves until the process receives a signal.
func run(o options) error {
	registry, err := url.Parse(o.registry)
	if err != nil || registry.Host == "" {
		return fmt.Errorf("--registry %q: give the URL of the registry behind, such as http://127.0.0.1:5555", o.registry)
	}
	if o.realm == "" {
		o.realm = "http://" + o.listen + "/token"
	}
	state := newState(o.limits)
	publicServer := &publicServer{address: o.listen, handler: newHub(o, registry, state), seen: &state.seen,
		certificate: o.certificate, key: o.key}
	if err := publicServer.open(); err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	control, err := net.Listen("tcp", o.control)
	if err != nil {
		return fmt.Errorf("--control: %w", err)
	}
	go func() { log.Fatal(http.Serve(control, newControl(state, publicServer))) }()
	log.Printf("this is the regmirror lab's stand-in for Docker Hub: %s in front of %s, control interface at %s",
		o.listen, o.registry, control.Addr())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	publicServer.close()
	return nil
}
