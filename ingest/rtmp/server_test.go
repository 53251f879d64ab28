package rtmp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/ingest"
	"pushcart/ingest/rtmp/rtmptest"
	"pushcart/media"
)

func TestConfig(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	if err := (Config{}).WithDefaults().Validate(); err != nil {
		t.Error(err)
	}
	if c := (Config{MaxPending: 3}).WithDefaults(); c.MaxPending != 3 || c.Listen != ":1935" || c.IdleTimeout != 30*time.Second {
		t.Errorf("defaults are %+v", c)
	}
	for key, c := range map[string]Config{
		"max_connections":             {MaxConnections: -1},
		"max_connections_per_address": {MaxConnectionsPerAddress: -1},
		"max_pending":                 {MaxPending: -1},
		"handshake_timeout":           {HandshakeTimeout: -1},
		"publish_timeout":             {PublishTimeout: 2 * time.Hour},
		"idle_timeout":                {IdleTimeout: -1},
		"write_timeout":               {WriteTimeout: -1},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// pipes is a listener whose connections are made by dial, for tests in synctest bubbles.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

// bubble runs a server on pipes for the length of f.
func bubble(t *testing.T, conf Config, f func(t *testing.T, s *Server, desk *fakeDesk, p *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, desk := newPipes(), newFakeDesk()
		s := &Server{Config: conf, Opener: desk, Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx, p) }()
		f(t, s, desk, p)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run returned %v", err)
		}
		time.Sleep(time.Minute) // for the clients' goroutines to see that it is over
	})
}

// closedAfter returns when the server closes nc, counted from now.
func closedAfter(nc net.Conn) time.Duration {
	began := time.Now()
	io.Copy(io.Discard, nc)
	return time.Since(began)
}

func TestDeadlines(t *testing.T) {
	t.Run("handshake", func(t *testing.T) {
		bubble(t, Config{}, func(t *testing.T, _ *Server, _ *fakeDesk, p *pipes) {
			nc := p.dial()
			go func() { // a byte a second is no handshake
				for {
					if _, err := nc.Write([]byte{3}); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			}()
			if d := closedAfter(nc); d != 10*time.Second {
				t.Errorf("closed after %v", d)
			}
		})
	})
	t.Run("publish", func(t *testing.T) {
		bubble(t, Config{}, func(t *testing.T, _ *Server, _ *fakeDesk, p *pipes) {
			nc := p.dial()
			go func() {
				nc.Write(append([]byte{3}, make([]byte, 2*handshakeSize)...))
				for { // pings are no publish
					if _, err := nc.Write([]byte{2, 0, 0, 0, 0, 0, 6, 4, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0}); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			}()
			if d := closedAfter(nc); d != 15*time.Second {
				t.Errorf("closed after %v", d)
			}
		})
	})
	t.Run("idle", func(t *testing.T) {
		bubble(t, Config{}, func(t *testing.T, _ *Server, desk *fakeDesk, p *pipes) {
			nc := p.dial()
			go nc.Write(publishing("live", "key"))
			if d := closedAfter(nc); d != 30*time.Second {
				t.Errorf("closed after %v", d)
			}
			show := desk.Next(t)
			if why := show.Ended(t); why == nil || !strings.Contains(why.Error(), "30s") {
				t.Errorf("the session was told %v", why)
			}
		})
	})
	t.Run("not idle", func(t *testing.T) {
		bubble(t, Config{}, func(t *testing.T, _ *Server, desk *fakeDesk, p *pipes) {
			nc := p.dial()
			go io.Copy(io.Discard, nc)
			nc.Write(publishing("live", "key"))
			show := desk.Next(t)
			for range 100 {
				time.Sleep(29 * time.Second)
				if _, err := nc.Write([]byte{4, 0, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0}); err != nil {
					t.Error(err)
					break
				}
			}
			select {
			case <-show.Left:
				t.Error("a host with a frame every 29 s was taken for dead")
			default:
			}
			nc.Close()
			show.Ended(t)
		})
	})
	t.Run("write", func(t *testing.T) {
		bubble(t, Config{}, func(t *testing.T, _ *Server, _ *fakeDesk, p *pipes) {
			nc := p.dial()
			nc.Write(append([]byte{3}, make([]byte, handshakeSize)...))
			time.Sleep(6 * time.Second) // nobody reads S0
			if _, err := nc.Write([]byte{0}); err == nil {
				t.Error("the server still waits for a client who does not read")
			}
		})
	})
}

func TestBudgetBeforePublish(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, _ *Server, _ *fakeDesk, p *pipes) {
		nc := p.dial()
		go io.Copy(io.Discard, nc)
		sent, _ := nc.Write(append([]byte{3}, make([]byte, 2*handshakeSize)...))
		for {
			n, err := nc.Write([]byte{4, 0, 0, 0, 0, 0, 100, 8, 1, 0, 0, 0})
			sent += n
			if err != nil {
				break
			}
			n, err = nc.Write(make([]byte, 100))
			sent += n
			if err != nil {
				break
			}
		}
		if sent != budgetBeforePublish {
			t.Errorf("%d bytes were taken before publish", sent)
		}
	})
}

func TestLobby(t *testing.T) {
	t.Run("per address", func(t *testing.T) {
		bubble(t, Config{MaxConnectionsPerAddress: 3}, func(t *testing.T, s *Server, _ *fakeDesk, p *pipes) {
			for range 3 {
				defer p.dial().Close()
			}
			if d := closedAfter(p.dial()); d != 0 {
				t.Errorf("the fourth connection was closed after %v", d)
			}
			if st := s.Stats(); st.Connections != 3 || st.Refused != 1 || st.Accepted != 4 {
				t.Errorf("stats are %+v", st)
			}
		})
	})
	t.Run("the oldest that does not publish makes room", func(t *testing.T) {
		bubble(t, Config{MaxPending: 2}, func(t *testing.T, s *Server, desk *fakeDesk, p *pipes) {
			host := p.dial()
			go io.Copy(io.Discard, host)
			host.Write(publishing("live", "key"))
			desk.Next(t)
			synctest.Wait()
			first, second, third := p.dial(), p.dial(), p.dial()
			if d := closedAfter(first); d != 0 {
				t.Errorf("the oldest was closed after %v", d)
			}
			if _, err := host.Write([]byte{4, 0, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0}); err != nil {
				t.Errorf("the host has made room: %v", err)
			}
			synctest.Wait()
			if st := s.Stats(); st.Connections != 3 || st.Publishing != 1 {
				t.Errorf("stats are %+v", st)
			}
			second.Close()
			third.Close()
			host.Close()
		})
	})
	t.Run("in all", func(t *testing.T) {
		bubble(t, Config{MaxConnections: 2}, func(t *testing.T, _ *Server, desk *fakeDesk, p *pipes) {
			for range 2 {
				host := p.dial()
				defer host.Close()
				go io.Copy(io.Discard, host)
				host.Write(publishing("live", "key"))
				desk.Next(t)
			}
			synctest.Wait()
			if d := closedAfter(p.dial()); d != 0 {
				t.Errorf("the third connection was closed after %v", d)
			}
		})
	})
}

func TestShutdown(t *testing.T) {
	desk := newFakeDesk()
	s := &Server{Opener: desk, Log: slog.New(slog.DiscardHandler)}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, ln) }()
	c := publish(t, ln.Addr().String(), "key", rtmptest.Options{})
	show := desk.Next(t)
	half, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	cancel()
	if st, err := c.Status(); err != nil || !strings.Contains(st.Description, "going down") {
		t.Errorf("the host is told %+v, %v", st, err)
	}
	if err := c.Closed(); err != nil {
		t.Error(err)
	}
	c.Kill()
	if why := show.Ended(t); !errors.Is(why, errShutdown) {
		t.Errorf("the session is told %v", why)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run returned %v", err)
	}
	if st := s.Stats(); st.Connections != 0 || st.Publishing != 0 {
		t.Errorf("stats are %+v", st)
	}
}

func TestListenerFails(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := (&Server{Log: slog.New(slog.DiscardHandler)}).Run(context.Background(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run returned %v", err)
	}
}

func TestRTMPS(t *testing.T) {
	cert, pool := selfSigned(t)
	desk := newFakeDesk()
	s := &Server{Opener: desk, Log: slog.New(slog.DiscardHandler)}
	plain := start(t, s)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.RunTLS(ctx, ln, &tls.Config{Certificates: []tls.Certificate{cert}}) }()
	c, err := rtmptest.Publish(ctx, "rtmps://"+ln.Addr().String()+"/live/key", rtmptest.Options{TLS: &tls.Config{RootCAs: pool}})
	if err != nil {
		t.Fatal(err)
	}
	show := desk.Next(t)
	if show.Request.Protocol != "rtmps" {
		t.Errorf("protocol is %s", show.Request.Protocol)
	}
	c.WriteAudio(0, rtmptest.AACConfig(asc))
	c.WriteAudio(5, rtmptest.AACFrame(make([]byte, 100_000)))
	want(t, show, media.AccessUnit{Track: 2, DTS: 5, PTS: 5, RandomAccess: true, Data: make([]byte, 100_000)})
	cancel()
	if st, err := c.Status(); err != nil || !strings.Contains(st.Description, "going down") {
		t.Errorf("the host is told %+v, %v", st, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("RunTLS returned %v", err)
	}
	// The other listener goes on.
	publish(t, plain, "key", rtmptest.Options{})
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

var _ ingest.Opener = (*fakeDesk)(nil)
