// Package auth decides who may publish a show, and under which name.
//
// A host knows one stream key. It is one of three things: listed in the configuration next to a name;
// signed, which is NAME-SIGNATURE, so that any number of hosts need no list; or, while nothing at all is
// configured, anything that a process on the server's own machine likes, and then the key is the name.
//
// The signature is the first 10 bytes of HMAC-SHA256(secret, NAME) in lower-case base32 (RFC 4648
// section 6) without padding: 16 characters. A shop's back end can make keys by itself; Sign does the
// same.
//
// Whoever has a show's key may also stand beside its host: KEY/720p is a rendition of the picture, KEY@fr the
// sound in French. An interpreter who shall do that and nothing else gets a key that is signed for, or listed
// with, NAME@fr in place of NAME.
//
// To add another way to be let in (a webhook, a signed URL), give Checker another method that finds a
// name, and call it in Publish.
package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"net/netip"
	"strings"
)

// Denied is the error of a publish that was turned down: one sentence for the host, which does not
// repeat the key.
type Denied struct{ Reason string }

// Error returns the sentence.
func (d *Denied) Error() string { return d.Reason }

// What Publish says no with. Sign and CheckName have more.
var (
	errNoKey = &Denied{"No stream key was given: put the key that you were sent into your encoder's stream key field."}
	errKey   = &Denied{"The stream key is not valid: check that you copied it whole, with everything before and after its last dash, and without spaces."}
	errSetUp = &Denied{"No stream keys are set up on this server, so only its own machine can publish: ask its operator to set auth.secret or auth.keys."}
)

// maxKey bounds what is looked at; it leaves room for the longest name and its signature.
const maxKey = 256

// signatureBytes is how much of the HMAC a key carries. 80 bits can't be guessed through a network.
const signatureBytes = 10

var signatureCoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Checker knows the keys of one configuration. It is immutable.
type Checker struct {
	secret   []byte
	listed   map[[sha256.Size]byte]Grant // by SHA-256 of the key
	loopback bool                        // publishers on this machine may use any name
}

// New returns a Checker for c, or c.Validate's error.
func New(c Config) (*Checker, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	a := &Checker{
		secret:   []byte(c.Secret),
		listed:   make(map[[sha256.Size]byte]Grant, len(c.Keys)),
		loopback: c.AllowLoopback || !c.Configured(),
	}
	for _, k := range c.Keys {
		a.listed[sha256.Sum256([]byte(k.Key))], _ = ParseGrant(k.Name) // Validate has looked at it
	}
	return a, nil
}

// Publish returns what key may publish when it comes from the address from, or a *Denied. The key comes
// without the query that some encoders append.
func (a *Checker) Publish(key string, from netip.Addr) (Grant, error) {
	switch {
	case key == "":
		return Grant{}, errNoKey
	case len(key) > maxKey:
		return Grant{}, errKey
	}
	if g, ok := a.known(key); ok {
		return g, nil
	}
	if base, part := cutPart(key); part != "" {
		if g, ok := a.known(base); ok && g.Part == "" {
			g.Part = part
			return g, g.check()
		}
	}
	if a.loopback && from.Unmap().IsLoopback() {
		return ParseGrant(key)
	}
	if len(a.secret) == 0 && len(a.listed) == 0 {
		return Grant{}, errSetUp
	}
	return Grant{}, errKey
}

// known returns what a key is good for that is listed or signed as it stands.
func (a *Checker) known(key string) (g Grant, ok bool) {
	// The table is searched by hash: how long that takes says nothing about the keys in it.
	if g, ok := a.listed[sha256.Sum256([]byte(key))]; ok {
		return g, true
	}
	i := strings.LastIndexByte(key, '-')
	if len(a.secret) == 0 || i < 1 || !hmac.Equal([]byte(key[i+1:]), []byte(a.signature(key[:i]))) {
		return g, false
	}
	g, err := ParseGrant(key[:i])
	return g, err == nil
}

func (a *Checker) signature(name string) string {
	mac := hmac.New(sha256.New, a.secret)
	mac.Write([]byte(name))
	return signatureCoding.EncodeToString(mac.Sum(nil)[:signatureBytes])
}

// Sign returns the stream key with which name can be published: NAME-SIGNATURE. A name like NAME@fr or
// NAME/720p makes a key for that part of the show alone. It fails for a name that ParseGrant refuses, and while
// no secret is configured.
func (a *Checker) Sign(name string) (key string, err error) {
	if _, err := ParseGrant(name); err != nil {
		return "", err
	}
	if len(a.secret) == 0 {
		return "", &Denied{"There is no secret to sign stream keys with: set auth.secret in the configuration, or PUSHCART_AUTH_SECRET."}
	}
	return name + "-" + a.signature(name), nil
}
