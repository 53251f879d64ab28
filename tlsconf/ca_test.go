package tlsconf

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
)

// authority is a certification authority with an ACME directory (RFC 8555), as small as one can be: one
// account, one order at a time, and tls-alpn-01 (RFC 8737), which it really checks.
type authority struct {
	t      *testing.T
	server *httptest.Server
	key    *ecdsa.PrivateKey
	root   *x509.Certificate
	// target is where the hosts' names lead to.
	target string

	mu      sync.Mutex
	account crypto.PublicKey
	host    string // of the order
	valid   bool   // the host has been checked
	cert    []byte // PEM chain
	issued  int
}

const challengeToken = "a-token-of-the-authority"

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, root := newRoot(t)
	a := &authority{t: t, key: key, root: root}
	mux := http.NewServeMux()
	for path, f := range map[string]func(payload []byte) (status int, location string, answer any){
		"/account": func([]byte) (int, string, any) { return 201, "/account/1", map[string]any{"status": "valid"} },
		"/order":   a.order,
		"/order/1": func([]byte) (int, string, any) { return 200, "/order/1", a.orderState() },
		"/authz":   func([]byte) (int, string, any) { return 200, "", a.authorization() },
		"/check":   a.check,
		"/finish":  a.finish,
	} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, f) })
	}
	mux.HandleFunc("POST /cert", func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		w.Header().Set("Replay-Nonce", "n")
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		w.Write(a.cert)
	})
	mux.HandleFunc("/nonce", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Replay-Nonce", "n") })
	mux.HandleFunc("/directory", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]string{
			"newNonce": a.url("/nonce"), "newAccount": a.url("/account"), "newOrder": a.url("/order"),
		})
	})
	a.server = httptest.NewServer(mux)
	t.Cleanup(a.server.Close)
	return a
}

func newRoot(t *testing.T) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, root
}

func (a *authority) url(path string) string { return a.server.URL + path }

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.root)
	return p
}

func (a *authority) issuedCount() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.issued
}

// serve unpacks a signed request. Its signature is not checked: that is the library's business.
func (a *authority) serve(w http.ResponseWriter, r *http.Request, f func([]byte) (int, string, any)) {
	var jws struct{ Protected, Payload string }
	var head struct{ JWK *struct{ X, Y string } }
	err := json.NewDecoder(r.Body).Decode(&jws)
	if err == nil {
		err = json.Unmarshal(decode(jws.Protected), &head)
	}
	if err != nil {
		a.t.Errorf("%s: %v", r.URL.Path, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if head.JWK != nil {
		a.account = &ecdsa.PublicKey{
			Curve: elliptic.P256(),
			X:     new(big.Int).SetBytes(decode(head.JWK.X)),
			Y:     new(big.Int).SetBytes(decode(head.JWK.Y)),
		}
	}
	status, location, answer := f(decode(jws.Payload))
	w.Header().Set("Replay-Nonce", "n")
	if location != "" {
		w.Header().Set("Location", a.url(location))
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(answer)
}

func decode(s string) []byte {
	b, _ := base64.RawURLEncoding.DecodeString(s)
	return b
}

func (a *authority) order(payload []byte) (int, string, any) {
	var o struct {
		Identifiers []struct{ Type, Value string }
	}
	if err := json.Unmarshal(payload, &o); err != nil || len(o.Identifiers) != 1 {
		a.t.Errorf("order %s: %v", payload, err)
		return 400, "", nil
	}
	a.host, a.valid, a.cert = o.Identifiers[0].Value, false, nil
	return 201, "/order/1", a.orderState()
}

func (a *authority) orderState() any {
	o := map[string]any{
		"status":         "pending",
		"identifiers":    []map[string]string{{"type": "dns", "value": a.host}},
		"authorizations": []string{a.url("/authz")},
		"finalize":       a.url("/finish"),
	}
	switch {
	case a.cert != nil:
		o["status"], o["certificate"] = "valid", a.url("/cert")
	case a.valid:
		o["status"] = "ready"
	}
	return o
}

func (a *authority) authorization() any {
	status := "pending"
	if a.valid {
		status = "valid"
	}
	return map[string]any{
		"status":     status,
		"identifier": map[string]string{"type": "dns", "value": a.host},
		"challenges": []any{a.challenge(status)},
	}
}

func (a *authority) challenge(status string) any {
	return map[string]string{"type": "tls-alpn-01", "url": a.url("/check"), "token": challengeToken, "status": status}
}

// check connects to the host as RFC 8737 says.
func (a *authority) check([]byte) (int, string, any) {
	conn, err := tls.Dial("tcp", a.target, &tls.Config{
		ServerName: a.host, NextProtos: []string{acme.ALPNProto}, InsecureSkipVerify: true,
	})
	if err != nil {
		a.t.Errorf("tls-alpn-01: %v", err)
		return 200, "", a.challenge("invalid")
	}
	defer conn.Close()
	thumb, err := acme.JWKThumbprint(a.account)
	if err != nil {
		a.t.Error(err)
	}
	sum := sha256.Sum256([]byte(challengeToken + "." + thumb))
	want, _ := asn1.Marshal(sum[:])
	leaf := conn.ConnectionState().PeerCertificates[0]
	for _, e := range leaf.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}) && bytes.Equal(e.Value, want) && leaf.VerifyHostname(a.host) == nil {
			a.valid = true
		}
	}
	if !a.valid {
		a.t.Errorf("tls-alpn-01: the certificate for %s does not prove anything", a.host)
		return 200, "", a.challenge("invalid")
	}
	return 200, "", a.challenge("valid")
}

func (a *authority) finish(payload []byte) (int, string, any) {
	var f struct{ CSR string }
	if err := json.Unmarshal(payload, &f); err != nil {
		a.t.Error(err)
	}
	csr, err := x509.ParseCertificateRequest(decode(f.CSR))
	if err != nil || !a.valid || strings.Join(csr.DNSNames, " ") != a.host {
		a.t.Errorf("request for %v, checked %v: %v", csr, a.valid, err)
		return 403, "", nil
	}
	a.cert = a.issue(csr.PublicKey, a.host)
	a.issued++
	return 200, "/order/1", a.orderState()
}

// issue signs a certificate for a host, and returns it with the root, in PEM.
func (a *authority) issue(key crypto.PublicKey, host string) []byte {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.root, key, a.key)
	if err != nil {
		a.t.Errorf("issue: %v", err)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})...)
}
