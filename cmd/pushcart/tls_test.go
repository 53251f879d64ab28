package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// certificate writes a certificate for 127.0.0.1 and its key to files, and returns who trusts it.
func certificate(t *testing.T) (certFile, keyFile string, trust *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, data := range map[string][]byte{certFile: certPEM, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust = x509.NewCertPool()
	trust.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, trust
}

func TestCertificateOpensTheTLSListeners(t *testing.T) {
	t.Parallel()
	certFile, keyFile, trust := certificate(t)
	p := start(t, []string{
		"PUSHCART_TLS_CERT_FILE=" + certFile, "PUSHCART_TLS_KEY_FILE=" + keyFile,
		"PUSHCART_RTMP_LISTEN_TLS=127.0.0.1:0", "PUSHCART_ORIGIN_LISTEN_TLS=127.0.0.1:0",
	})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}, ForceAttemptHTTP2: true}}
	res, err := client.Get("https://" + p.addr["origin.listen_tls"] + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.ProtoMajor != 2 {
		t.Errorf("HTTPS: %s %s", res.Proto, res.Status)
	}
	client.CloseIdleConnections()
	conn, err := tls.Dial("tcp", p.addr["rtmp.listen_tls"], &tls.Config{RootCAs: trust})
	if err != nil {
		t.Fatalf("RTMPS: %v", err)
	}
	conn.Close()
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := <-p.exit; err != nil {
		t.Errorf("after SIGTERM: %v; %q", err, p.messages())
	}
	// Without a certificate neither is open.
	if p := start(t, nil); p.addr["rtmp.listen_tls"] != "" || p.addr["origin.listen_tls"] != "" {
		t.Errorf("open without a certificate: %v", p.addr)
	}
}
