package tlsconf

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var quiet = slog.New(slog.DiscardHandler)

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string // in the error; empty: none
	}{
		{Config{}, ""},
		{Config{CertFile: "a", KeyFile: "b"}, ""},
		{Config{ACME: ACME{Hosts: []string{"a.example.com", "x-1.example.com"}, Email: "a@b", Directory: "https://ca.example/dir"}}, ""},
		{Config{CertFile: "a"}, "tls.key_file"},
		{Config{KeyFile: "a"}, "tls.cert_file"},
		{Config{CertFile: "a", KeyFile: "b", ACME: ACME{Hosts: []string{"a.example.com"}}}, "exclude"},
		{Config{ACME: ACME{Hosts: []string{"*.example.com"}}}, "tls.acme.hosts"},
		{Config{ACME: ACME{Hosts: []string{"a.example.com:443"}}}, "tls.acme.hosts"},
		{Config{ACME: ACME{Hosts: []string{"127.0.0.1"}}}, "tls.acme.hosts"},
		{Config{ACME: ACME{Hosts: []string{"localhost"}}}, "tls.acme.hosts"},
		{Config{ACME: ACME{Hosts: make([]string, maxHosts+1)}}, "tls.acme.hosts"},
		{Config{ACME: ACME{Directory: "ca.example"}}, "tls.acme.directory"},
		{Config{ACME: ACME{Email: "nobody"}}, "tls.acme.email"},
	} {
		err := c.cfg.Validate()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%+v: %v", c.cfg, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
	if c, err := New(Config{}, quiet); c != nil || err != nil {
		t.Errorf("no certificates at all: %v, %v", c, err)
	}
}

// writePair writes a self-signed certificate of that serial number, and its key.
func writePair(t *testing.T, cfg Config, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"a.example.com"}, NotAfter: time.Now().Add(1000 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cfg.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, cfg.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// writes gives each file a modification time of its own, however fast the test and coarse the clock.
var writes int64

func write(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	writes++
	at := time.Unix(1_700_000_000+writes, 0)
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

// TestReload: new files are used without a restart, as soon as they are good.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	if _, err := New(cfg, quiet); err == nil || !strings.Contains(err.Error(), "cert.pem") {
		t.Errorf("files that don't exist: %v", err)
	}
	writePair(t, cfg, 1)
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		c, err := New(cfg, slog.New(slog.NewTextHandler(&logged, nil)))
		if err != nil {
			t.Fatal(err)
		}
		tc := c.Config("h2")
		serial := func() int64 {
			time.Sleep(2 * checkEvery)
			cert, err := tc.GetCertificate(&tls.ClientHelloInfo{ServerName: "a.example.com"})
			if err != nil {
				t.Fatal(err)
			}
			return cert.Leaf.SerialNumber.Int64()
		}
		if n := serial(); n != 1 {
			t.Errorf("certificate %d", n)
		}
		writePair(t, cfg, 2)
		if n := serial(); n != 2 {
			t.Errorf("certificate %d, after the files have changed", n)
		}
		good, _ := os.ReadFile(cfg.KeyFile)
		write(t, cfg.KeyFile, []byte("half a k"))
		for range 3 {
			if n := serial(); n != 2 {
				t.Errorf("certificate %d, with a broken key", n)
			}
		}
		if n := strings.Count(logged.String(), "level=ERROR"); n != 1 {
			t.Errorf("%d complaints about one broken file:\n%s", n, &logged)
		}
		write(t, cfg.KeyFile, good)
		if n := serial(); n != 2 {
			t.Errorf("certificate %d", n)
		}
		os.Remove(cfg.CertFile)
		for range 3 {
			if n := serial(); n != 2 {
				t.Errorf("certificate %d, with a file missing", n)
			}
		}
		if n := strings.Count(logged.String(), "level=ERROR"); n != 2 {
			t.Errorf("%d complaints about a broken and a missing file:\n%s", n, &logged)
		}
		writePair(t, cfg, 3)
		if n := serial(); n != 3 {
			t.Errorf("certificate %d, after the files have come back", n)
		}
	})
}

// TestACME lets an authority of our own check a host's name and issue a certificate for it.
func TestACME(t *testing.T) {
	const host = "shows.example.com"
	ca := newAuthority(t)
	cfg := Config{ACME: ACME{Hosts: []string{host}, Email: "ops@example.com", CacheDir: t.TempDir(), Directory: ca.url("/directory")}}

	start := func() (addr string) {
		c, err := New(cfg, quiet)
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: http.NotFoundHandler()}
		go srv.Serve(tls.NewListener(l, c.Config("h2", "http/1.1")))
		t.Cleanup(func() { srv.Close() })
		return l.Addr().String()
	}
	dial := func(addr, name string) (*x509.Certificate, error) {
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 2 * time.Minute}, "tcp", addr,
			&tls.Config{ServerName: name, RootCAs: ca.pool(), NextProtos: []string{"h2"}})
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		if p := conn.ConnectionState().NegotiatedProtocol; p != "h2" {
			t.Errorf("protocol %q", p)
		}
		return conn.ConnectionState().PeerCertificates[0], nil
	}

	ca.target = start()
	for range 2 {
		cert, err := dial(ca.target, host)
		if err != nil {
			t.Fatal(err)
		}
		if err := cert.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if _, err := dial(ca.target, "other.example.com"); err == nil {
		t.Error("a certificate for a name that is not configured")
	}
	// Another process finds it in the cache.
	if _, err := dial(start(), host); err != nil {
		t.Error(err)
	}
	if n := ca.issuedCount(); n != 1 {
		t.Errorf("%d certificates were issued", n)
	}
}

func TestProtocols(t *testing.T) {
	c, err := New(Config{ACME: ACME{Hosts: []string{"a.example.com"}, CacheDir: t.TempDir()}}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Config("h2").NextProtos, " "); got != "h2 acme-tls/1" {
		t.Errorf("HTTPS speaks %q", got)
	}
	if got := c.Config().NextProtos; len(got) != 0 {
		t.Errorf("RTMPS insists on %q", got)
	}
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	ask := func(c *Certificates, path string) int {
		w := httptest.NewRecorder()
		c.HTTPHandler(next).ServeHTTP(w, httptest.NewRequest("GET", "http://a.example.com"+path, nil))
		return w.Code
	}
	if got := ask(c, "/"); got != http.StatusTeapot {
		t.Errorf("a page: %d", got)
	}
	if got := ask(c, "/.well-known/acme-challenge/x"); got != http.StatusNotFound {
		t.Errorf("an unknown challenge: %d", got)
	}
	if got := ask(nil, "/.well-known/acme-challenge/x"); got != http.StatusTeapot {
		t.Errorf("without ACME: %d", got)
	}
}
