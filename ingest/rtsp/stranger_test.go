package rtsp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTLS publishes by RTSPS, with media on the connection.
func TestTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	desk := newFakeDesk()
	s := &Server{Opener: desk, Log: slog.New(slog.DiscardHandler)}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.RunTLS(ctx, ln, &tls.Config{Certificates: web.TLS.Certificates}) }()
	c := clipCamera(t)
	raw := dial(t, ln.Addr().String(), "/live/k")
	plain := raw.nc
	nc := tls.Client(plain, &tls.Config{InsecureSkipVerify: true})
	if err := nc.Handshake(); err != nil {
		t.Fatal(err)
	}
	raw.nc = nc
	raw.r.Reset(nc)
	raw.url = strings.Replace(raw.url, "rtsp:", "rtsps:", 1)
	raw.publish(c)
	show := desk.Next(t)
	if show.Request.Protocol != "rtsps" {
		t.Errorf("request is %+v", show.Request)
	}
	for _, p := range c.film(t, time.Now(), 2*time.Second) {
		if err := raw.send(p); err != nil {
			t.Fatal(err)
		}
	}
	show.wait(t, videoTrackID, 55)
	c.checkPictures(t, show)
	cancel()
	if why := show.Ended(t); why != errShutdown {
		t.Errorf("it ended with %v", why)
	}
	if err := <-ended; err != nil {
		t.Errorf("RunTLS returned %v", err)
	}
}

// FuzzConnection sends whatever comes on a connection: only that connection may come to harm.
func FuzzConnection(f *testing.F) {
	c := clipCamera(f)
	announce := func(body string) string {
		return fmt.Sprintf("ANNOUNCE rtsp://h/live/k RTSP/1.0\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	setup := func(i int) string {
		return fmt.Sprintf("SETUP rtsp://h/live/k/trackID=%d RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP/TCP;unicast;interleaved=%d-%d;mode=record\r\n\r\n", i, 2*i, 2*i+1)
	}
	const record = "RECORD rtsp://h/live/k RTSP/1.0\r\nCSeq: 3\r\n\r\n"
	whole := announce(c.describe()) + setup(0) + setup(1) + record
	media := "$\x00\x00\x10\x80\xe0\x00\x01\x00\x00\x00\x00\x00\x00\x11\x11\x65\x88\x84\x00$\x01\x00\x1c\x80\xc8\x00\x06\x00\x00\x11\x11\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	for _, s := range []string{
		"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", announce("m=video 0 RTP/AVP 26\r\n"), whole, whole + media,
		announce(c.describe()) + strings.Replace(setup(0), "RTP/AVP/TCP;unicast;interleaved=0-1", "RTP/AVP;unicast;client_port=5000-5001", 1) + record,
		announce(c.describe()) + strings.Replace(setup(0), "RTP/AVP", "RTP/SAVP", 1) + record,
		setup(0), record, "TEARDOWN rtsp://h/live/k RTSP/1.0\r\nCSeq: 3\r\n\r\n", "PAUSE rtsp://h/live/k RTSP/1.0\r\nCSeq: 3\r\n\r\n",
		"DESCRIBE rtsp://h/live/k RTSP/1.0\r\nCSeq: 3\r\nAuthorization: Digest username=\"a\", realm=\"b\", nonce=\"c\", uri=\"d\", response=\"e\"\r\n\r\n",
		"GET_PARAMETER rtsp://h/live/k RTSP/1.0\r\nCSeq: 3\r\nSession: x\r\n\r\n", "RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n", media,
	} {
		f.Add([]byte(s))
	}
	var once sync.Once
	var addr string
	f.Fuzz(func(t *testing.T, b []byte) {
		once.Do(func() {
			ln, udp := listen(t)
			addr = ln.Addr().String()
			desk := newFakeDesk()
			go func() {
				for range desk.Came {
				}
			}()
			s := &Server{Opener: desk, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Config: Config{MaxConnectionsPerAddress: 2000}}
			go s.Run(context.Background(), ln, udp)
		})
		stacks := func() []byte {
			b := make([]byte, 1<<20)
			return b[:runtime.Stack(b, true)]
		}
		nc, err := net.DialTimeout("tcp", addr, 30*time.Second)
		if err != nil {
			t.Fatalf("%v\n%s", err, stacks())
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(30 * time.Second))
		nc.Write(b)
		nc.(*net.TCPConn).CloseWrite()
		if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("the server does not answer any more:\n%s", stacks())
		}
	})
}
