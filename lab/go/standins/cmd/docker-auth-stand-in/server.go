package main

import (
	"fmt"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// startServer listens and serves in the background, over TLS if the configuration has a server certificate.
func startServer(c *configuration) (*http.Server, error) {
	listener, err := net.Listen("tcp", c.Server.Address)
	if err != nil {
		return nil, fmt.Errorf("server.addr: %w", err)
	}
	server := &http.Server{Handler: c, TLSConfig: c.tls}
	go func() {
		if err := serve(server, listener); err != http.ErrServerClosed {
			log.Fatalf("Serving on %s: %v", listener.Addr(), err)
		}
	}()
	log.Printf("Serving on %s: issuer %q, %d users, %d access entries, key id %s",
		listener.Addr(), c.Token.Issuer, len(c.Users), len(c.ACL), c.signer.keyID)
	return server, nil
}

func serve(server *http.Server, listener net.Listener) error {
	if server.TLSConfig == nil {
		return server.Serve(listener)
	}
	return server.ServeTLS(listener, "", "")
}

// replaceServer restarts the server with the new content of the file, which drops connections. Like docker_auth, it keeps
// the old configuration if the new one is invalid.
func replaceServer(old *http.Server, file string) (*http.Server, error) {
	c, err := loadConfiguration(file)
	if err != nil {
		log.Printf("the new configuration is invalid, server not restarted: %v", err)
		return old, nil
	}
	log.Print("the configuration has changed: restarting the server")
	_ = old.Close()
	return startServer(c)
}

func (c *configuration) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	writer.Header().Set("X-Regmirror-Lab", "docker_auth stand-in")
	switch request.URL.Path {
	case "/":
		writer.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(writer, "<h1>%s</h1>\n", c.Token.Issuer)
	case "/auth", "/auth/token":
		c.answerTokenRequest(writer, request)
	default:
		http.Error(writer, "Not found", http.StatusNotFound)
	}
}

func (c *configuration) answerTokenRequest(writer http.ResponseWriter, request *http.Request) {
	asked, err := c.parseTokenRequest(request)
	if err != nil {
		log.Printf("Bad request: %v", err)
		http.Error(writer, "Bad request: "+err.Error(), http.StatusBadRequest)
		return
	}
	if !c.authenticates(asked.account, asked.password) {
		log.Printf("Authentication of %q failed", asked.account)
		writer.Header().Set("WWW-Authenticate", `Basic realm="`+c.Token.Issuer+`"`)
		http.Error(writer, "Auth failed.", http.StatusUnauthorized)
		return
	}
	claims := c.claimsFor(asked, time.Now())
	token, err := c.signer.sign(claims)
	if err != nil {
		http.Error(writer, "Failed to generate token "+err.Error(), http.StatusInternalServerError)
		return
	}
	log.Printf("New token for %q: service %q, access %+v", asked.account, asked.service, claims.Access)
	writer.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(writer, `{"access_token":%q,"token":%q}`, token, token)
}

func (c *configuration) authenticates(account, password string) bool {
	user := c.Users[account]
	if user == nil {
		return false
	}
	return user.PasswordHash == nil ||
		bcrypt.CompareHashAndPassword([]byte(*user.PasswordHash), []byte(password)) == nil
}

// tokenClaims are the claims of the registry's token specification, times in seconds since 1970.
type tokenClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  string   `json:"aud"`
	Expires   int64    `json:"exp"`
	NotBefore int64    `json:"nbf"`
	IssuedAt  int64    `json:"iat"`
	ID        string   `json:"jti"`
	Access    []access `json:"access"`
}

type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// claimsFor lists every requested scope, including those without granted actions.
func (c *configuration) claimsFor(asked *tokenRequest, now time.Time) tokenClaims {
	claims := tokenClaims{
		Issuer: c.Token.Issuer, Subject: asked.account, Audience: asked.service,
		Expires: now.Unix() + c.Token.Expiration, NotBefore: now.Unix() - 10, IssuedAt: now.Unix(),
		ID: strconv.FormatInt(rand.Int64(), 10), Access: []access{},
	}
	known := c.Users[asked.account].Labels
	for _, s := range asked.scopes {
		actions := c.ACL.granted(accessRequest{asked.account, asked.service, s.kind, s.name, asked.ip, known, s.actions})
		claims.Access = append(claims.Access, access{s.kind, s.name, append([]string{}, actions...)})
	}
	return claims
}
