// Package tlsconf is where the house's certificates come from: a pair of PEM files, which may be
// replaced at any time, or a certification authority by ACME (RFC 8555). The doors for hosts (RTMPS) and
// for viewers (HTTPS) share them.
package tlsconf

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// Config says where certificates come from. The zero value means that there are none.
type Config struct {
	// CertFile and KeyFile are PEM files: the certificate with its chain, and its private key. They are
	// read again when they change.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ACME gets certificates by itself, instead of from files.
	ACME ACME `yaml:"acme"`
}

// ACME is an account with a certification authority. The authority checks each host name by connecting
// to it: on port 443 (tls-alpn-01), which must lead to origin.listen_tls, or on port 80 (http-01), which
// must lead to origin.listen.
type ACME struct {
	// Hosts are the names to get certificates for; none by default, which means no ACME. A connection
	// for any other name is refused.
	Hosts []string `yaml:"hosts"`
	// Email is where the authority writes to about the account; optional.
	Email string `yaml:"email"`
	// CacheDir keeps the account's key and the certificates; "acme" by default. It must outlive the
	// process: authorities allow only a few new certificates a week.
	CacheDir string `yaml:"cache_dir"`
	// Directory is the authority's directory URL; Let's Encrypt's by default. To use it means to accept
	// the authority's terms of service.
	Directory string `yaml:"directory"`
}

const (
	defaultCacheDir = "acme"
	maxHosts        = 100
)

// Enabled reports whether there are certificates at all.
func (c Config) Enabled() bool {
	return c.CertFile != "" || c.KeyFile != "" || len(c.ACME.Hosts) > 0
}

// Validate checks that the settings go together. It does not read the files. Its errors name the key.
func (c Config) Validate() error {
	switch {
	case (c.CertFile == "") != (c.KeyFile == ""):
		return errors.New("tls.cert_file and tls.key_file need each other: set both, or neither")
	case c.CertFile != "" && len(c.ACME.Hosts) > 0:
		return errors.New("tls.cert_file and tls.acme.hosts exclude each other: certificates come from files or by ACME")
	case len(c.ACME.Hosts) > maxHosts:
		return fmt.Errorf("tls.acme.hosts has %d names: %d are allowed", len(c.ACME.Hosts), maxHosts)
	}
	for _, h := range c.ACME.Hosts {
		if !isHostName(h) {
			return fmt.Errorf("tls.acme.hosts: %q is not a host name; it looks like shows.example.com, without port, wildcard or address", h)
		}
	}
	if d := c.ACME.Directory; d != "" {
		if u, err := url.Parse(d); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return fmt.Errorf("tls.acme.directory is %q: it must be a URL", d)
		}
	}
	if e := c.ACME.Email; e != "" && !strings.Contains(e, "@") {
		return fmt.Errorf("tls.acme.email is %q: it must be an e-mail address", e)
	}
	return nil
}

// isHostName accepts what a public authority can check: a name with a dot in it, of letters, digits and
// hyphens.
func isHostName(h string) bool {
	if len(h) > 253 || !strings.Contains(h, ".") || net.ParseIP(h) != nil {
		return false
	}
	for label := range strings.SplitSeq(h, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-') {
				return false
			}
		}
	}
	return true
}

// Certificates hands out certificates to TLS servers. It starts no goroutine of its own; it is safe for
// concurrent use.
type Certificates struct {
	get  func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	acme *autocert.Manager // nil: from files
}

// New returns the certificates of cfg, or nil if there are none. Files are read at once, so that a
// mistake shows at the start; by ACME, a host's certificate is fetched when the first connection for its
// name comes in.
func New(cfg Config, log *slog.Logger) (*Certificates, error) {
	if !cfg.Enabled() {
		return nil, nil
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.CertFile != "" {
		p := &pair{certFile: cfg.CertFile, keyFile: cfg.KeyFile, log: log}
		if err := p.load(); err != nil {
			return nil, err
		}
		return &Certificates{get: p.certificate}, nil
	}
	m := newManager(cfg.ACME)
	return &Certificates{get: m.GetCertificate, acme: m}, nil
}

func newManager(cfg ACME) *autocert.Manager {
	dir := cfg.CacheDir
	if dir == "" {
		dir = defaultCacheDir
	}
	m := &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		Cache:      autocert.DirCache(dir),
		HostPolicy: autocert.HostWhitelist(cfg.Hosts...),
		Email:      cfg.Email,
	}
	if cfg.Directory != "" {
		m.Client = &acme.Client{DirectoryURL: cfg.Directory}
	}
	return m
}

// Config returns the configuration of a TLS server that speaks the given application protocols (ALPN),
// such as "h2"; with none, any client will do that does not insist on one. Only a server on the port that
// the authority connects to (HTTPS) should name protocols: it gets ACME's own added.
func (c *Certificates) Config(protocols ...string) *tls.Config {
	if c.acme != nil && len(protocols) > 0 {
		protocols = append(slices.Clip(protocols), acme.ALPNProto)
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     protocols,
		GetCertificate: c.get,
	}
}

// HTTPHandler answers an authority's http-01 checks, and hands everything else on to next.
func (c *Certificates) HTTPHandler(next http.Handler) http.Handler {
	if c == nil || c.acme == nil {
		return next
	}
	return c.acme.HTTPHandler(next)
}
