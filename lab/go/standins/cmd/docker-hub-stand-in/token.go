package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"strings"
	"time"
)

const tokenLifetime = 300 * time.Second

// tokenIssuer is Docker Hub's token endpoint. Its tokens are JSON Web Tokens that only this process can verify. A client
// of a restarted process gets a 401 and requests a new token.
type tokenIssuer struct {
	accounts map[string]string
	private  []string
	absent   []string
	secret   []byte
}

// token contains the account and the repositories it may pull. Docker Hub's tokens have more claims, which clients ignore.
type token struct {
	Account string        `json:"sub"`
	Expires int64         `json:"exp"`
	Access  []tokenAccess `json:"access"`
}

type tokenAccess struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

func newTokenIssuer(accounts map[string]string, private, absent []string) *tokenIssuer {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails: crypto/rand crashes the program instead
	return &tokenIssuer{accounts, private, absent, secret}
}

// serve handles GET with or without Basic authentication, and POST with an OAuth 2 password grant.
func (t *tokenIssuer) serve(answer *answer, request *http.Request) {
	user, password, given := request.BasicAuth()
	if request.Method == http.MethodPost && !given {
		user, password = request.PostFormValue("username"), request.PostFormValue("password")
		given = user != "" || password != ""
	}
	if known, ok := t.accounts[user]; given && (!ok || known != password) {
		refuseLogin(answer)
		return
	}
	answer.call.Account = user
	now := time.Now()
	_ = request.ParseForm()
	text := t.sign(token{user, now.Add(tokenLifetime).Unix(), t.grant(user, request.Form["scope"])})
	answer.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(answer).Encode(map[string]any{
		"token": text, "access_token": text,
		"expires_in": int(tokenLifetime.Seconds()), "issued_at": now.UTC().Format(time.RFC3339Nano),
	})
}

func refuseLogin(answer *answer) {
	answer.Header().Set("Content-Type", "application/json")
	answer.WriteHeader(http.StatusUnauthorized)
	_, _ = answer.Write([]byte(`{"details":"incorrect username or password"}`))
}

// grant allows pulls of the repositories that the account can see.
func (t *tokenIssuer) grant(account string, scopes []string) []tokenAccess {
	access := []tokenAccess{}
	for scope := range strings.FieldsSeq(strings.Join(scopes, " ")) {
		parts := strings.Split(scope, ":")
		if len(parts) == 3 && parts[0] == "repository" && t.isVisible(account, parts[1]) {
			access = append(access, tokenAccess{"repository", parts[1], []string{"pull"}})
		}
	}
	return access
}

func (t *tokenIssuer) isVisible(account, repository string) bool {
	return !matchesAny(t.absent, repository) && (account != "" || !matchesAny(t.private, repository))
}

func matchesAny(globs []string, repository string) bool {
	for _, glob := range globs {
		if matched, _ := path.Match(glob, repository); matched {
			return true
		}
	}
	return false
}

func (t *tokenIssuer) sign(claims token) string {
	payload, _ := json.Marshal(claims) // only strings and numbers: cannot fail
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(payload)
	return text + "." + t.signature(text)
}

func (t *tokenIssuer) signature(text string) string {
	mac := hmac.New(sha256.New, t.secret)
	mac.Write([]byte(text))
	return encode(mac.Sum(nil))
}

// verify returns the claims of a token of this issuer that has not expired.
func (t *tokenIssuer) verify(text string) (*token, error) {
	end := strings.LastIndexByte(text, '.')
	if end < 0 || !hmac.Equal([]byte(t.signature(text[:end])), []byte(text[end+1:])) {
		return nil, errors.New("not signed by this issuer")
	}
	_, payload, _ := strings.Cut(text[:end], ".")
	decoded, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil, err
	}
	claims := &token{}
	if err := json.Unmarshal(decoded, claims); err != nil {
		return nil, err
	}
	if time.Now().Unix() >= claims.Expires {
		return nil, errors.New("expired")
	}
	return claims, nil
}

// allows only checks pulls: tokens contain nothing else.
func (claims *token) allows(c *call) bool {
	if c.Kind == "ping" {
		return true
	}
	for _, access := range claims.Access {
		if access.Name == c.Repository {
			return c.Method == http.MethodGet || c.Method == http.MethodHead
		}
	}
	return false
}

func encode(data []byte) string {
	return base64.RawURLEncoding.EncodeToString(data)
}
