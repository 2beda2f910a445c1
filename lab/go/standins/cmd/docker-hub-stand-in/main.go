// The Docker Hub stand-in puts Docker Hub's manners in front of a registry that has none: Bearer challenges, a token
// endpoint, accounts, private repositories, pull limits and, when told to, outages. Every answer carries the header
// "X-Regmirror-Lab: Docker Hub stand-in".
//
//	docker-hub-stand-in --listen ADDRESS --registry URL --control ADDRESS [--realm URL]
//	    [--account USER:PASSWORD]... [--private GLOB]... [--anonymous-limit N] [--account-limit N]
//
// The token endpoint is /token on the same host and port, because registry 3.1 trusts no other place with its
// credentials. A repository whose name matches --private (a path.Match glob) is visible to accounts alone. Pull
// limits count GETs of manifests, not HEADs, by account or else by IP address; 0 means no limit; counts end with a
// reset, not with time. Only pulls are served: fill the registry behind directly.
//
// The control address speaks JSON:
//
//	GET  /state   what follows, and "pulls" by account or address, and "requests": [{"method": "GET", "kind":
//	              "manifests", "repository": "library/demo", "account": "", "status": 200, "count": 1}, ...].
//	              A request is listed once its answer begins; kind is one of ping, manifests, blobs, tags,
//	              referrers, token, other; status 0 means that it got no answer.
//	PUT  /faults  {"down": false, "registry": FAULT, "token": FAULT}: what is left out is as it should be, so {} ends
//	              every fault. "down" refuses connections. FAULT is one of
//	                {"mode": "status", "status": 503}          answers so: 401 and 429 in Docker Hub's words
//	                {"mode": "rate-limited"}                   as if nobody had a pull left (of the registry alone)
//	                {"mode": "hang"}                           accepts and never answers
//	                {"mode": "reset"}                          resets the connection
//	                {"mode": "slow", "bytes_per_second": 1000} sends answers that slowly
//	              and "only": "blobs" narrows it to one kind of request.
//	PUT  /limits  {"anonymous": 100, "account": 200}
//	POST /reset   forgets requests and pulls
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

// options are the command line's.
type options struct {
	listen, registry, control, realm string
	accounts                         map[string]string
	private                          []string
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
	flag.StringVar(&o.registry, "registry", "", "URL of the registry behind, without authentication")
	flag.StringVar(&o.control, "control", "127.0.0.1:5001", "address of the control interface")
	flag.StringVar(&o.realm, "realm", "", "URL that clients fetch tokens from (default http://LISTEN/token)")
	flag.Func("account", "USER:PASSWORD of an account; may be repeated", func(text string) error {
		user, password, ok := strings.Cut(text, ":")
		if !ok || user == "" {
			return fmt.Errorf("expected USER:PASSWORD")
		}
		o.accounts[user] = password
		return nil
	})
	flag.Func("private", "glob of repositories for accounts alone; may be repeated", func(glob string) error {
		o.private = append(o.private, glob)
		_, err := path.Match(glob, "")
		return err
	})
	flag.IntVar(&o.limits.Anonymous, "anonymous-limit", 100, "pulls that one address has, 0 for no limit")
	flag.IntVar(&o.limits.Account, "account-limit", 200, "pulls that one account has, 0 for no limit")
	flag.Parse()
	return o
}

// run serves until the process is told to stop.
func run(o options) error {
	registry, err := url.Parse(o.registry)
	if err != nil || registry.Host == "" {
		return fmt.Errorf("--registry %q: give the URL of the registry behind, such as http://127.0.0.1:5555", o.registry)
	}
	if o.realm == "" {
		o.realm = "http://" + o.listen + "/token"
	}
	state := newState(o.limits)
	door := &door{address: o.listen, handler: newHub(o, registry, state)}
	if err := door.open(); err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	control, err := net.Listen("tcp", o.control)
	if err != nil {
		return fmt.Errorf("--control: %w", err)
	}
	go func() { log.Fatal(http.Serve(control, newControl(state, door))) }()
	log.Printf("This is the regmirror lab's stand-in for Docker Hub: %s before %s, controlled at %s",
		o.listen, o.registry, control.Addr())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	door.close()
	return nil
}
