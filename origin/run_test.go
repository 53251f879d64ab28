package origin

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// run serves o on a listener of its own until stop is called, which returns what Run did.
func run(t testing.TB, o *Server, secure *tls.Config) (addr string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx, l) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { stop() })
	return addr, stop
}

// atMost is how long anything may take before a test gives up, on a machine however busy. It measures nothing.
const atMost = 2 * time.Minute

// until waits for what another goroutine is about to do.
func until(t testing.TB, done func() bool) {
	t.Helper()
	for end := time.Now().Add(atMost); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}

// transports are the ways in: a name, a scheme, and what the client speaks.
var transports = []struct {
	name, scheme string
	proto        int // expected major version
	set          func(*http.Protocols)
}{
	{"HTTP 1.1", "http", 1, func(p *http.Protocols) { p.SetHTTP1(true) }},
	{"h2c", "http", 2, func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }},
	{"TLS with h2", "https", 2, func(p *http.Protocols) { p.SetHTTP1(true); p.SetHTTP2(true) }},
	{"TLS with HTTP 1.1", "https", 1, func(p *http.Protocols) { p.SetHTTP1(true) }},
}

// testTLS returns configurations for both ends, with httptest's certificate for example.com.
func testTLS() (server, client *tls.Config) {
	ts := httptest.NewUnstartedServer(nil)
	ts.StartTLS()
	defer ts.Close()
	client = ts.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client.ServerName = "example.com"
	return &tls.Config{Certificates: ts.TLS.Certificates, NextProtos: Protocols}, client
}

// eachTransport runs f with a client of each kind, over a server that has started.
func eachTransport(t *testing.T, f func(t *testing.T, c *http.Client, base string, o *Server, s *studio)) {
	server, client := testTLS()
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			s := newStudio(t, "low")
			s.play(9 * time.Second)
			o := newOrigin(Config{}, s)
			secure := server
			if tr.scheme == "http" {
				secure = nil
			}
			addr, stop := run(t, o, secure)
			p := new(http.Protocols)
			tr.set(p)
			transport := &http.Transport{Protocols: p, TLSClientConfig: client.Clone(), DisableCompression: true, MaxIdleConnsPerHost: 100}
			defer transport.CloseIdleConnections()
			c := &http.Client{Transport: transport, Timeout: atMost}
			base := tr.scheme + "://" + addr + "/live/shop/"
			r, err := c.Get(base + "index.m3u8")
			if err != nil {
				t.Fatal(err)
			}
			if r.ProtoMajor != tr.proto || r.StatusCode != 200 || !strings.HasPrefix(body(t, r), "#EXTM3U\n") {
				t.Fatalf("%s %s", r.Proto, r.Status)
			}
			f(t, c, base, o, s)
			if err := stop(); err != nil {
				t.Errorf("Run: %v", err)
			}
			until(t, func() bool { return o.Stats().Connections == 0 })
			if n := o.Stats().Waiting; n != 0 {
				t.Errorf("%d places are lost", n)
			}
		})
	}
}

// TestTransports asks for everything over each protocol.
func TestTransports(t *testing.T) {
	eachTransport(t, func(t *testing.T, c *http.Client, base string, o *Server, s *studio) {
		do := func(method, path string, header ...string) *http.Response {
			t.Helper()
			r, err := http.NewRequest(method, base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(header); i += 2 {
				r.Header.Set(header[i], header[i+1])
			}
			resp, err := c.Do(r)
			if err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			return resp
		}
		list := body(t, do("GET", "v1.m3u8"))
		segment := last(t, uris(list, ""))
		want := body(t, get(o, "GET", "/live/shop/"+segment))
		r := do("GET", segment)
		if got := body(t, r); got != want || r.ContentLength != int64(len(want)) || len(r.TransferEncoding) > 0 {
			t.Errorf("%s: %s, %d bytes of %d, Content-Length %d", segment, r.Status, len(got), len(want), r.ContentLength)
		}
		if r := do("GET", segment, "Range", "bytes=5-14"); body(t, r) != want[5:15] || r.StatusCode != 206 {
			t.Errorf("range: %s", r.Status)
		}
		if r := do("HEAD", segment); r.ContentLength != int64(len(want)) || body(t, r) != "" {
			t.Errorf("HEAD: %s, Content-Length %d", r.Status, r.ContentLength)
		}
		if r := do("GET", "v1.m3u8?_HLS_part=0"); r.StatusCode != 400 || r.Header.Get("Date") == "" {
			t.Errorf("part without msn: %s, %v", r.Status, r.Header)
		}
		if r := do("GET", "v1.m3u8", "Accept-Encoding", "gzip"); r.Header.Get("Content-Encoding") != "gzip" || r.ContentLength < 1 {
			t.Errorf("gzip: %s, %v", r.Status, r.Header)
		}
		hint := last(t, uris(list, "#EXT-X-PRELOAD-HINT:"))
		got := make(chan string, 1)
		go func() {
			a, err := c.Get(base + "v1.m3u8?_HLS_msn=11&_HLS_part=3")
			if err != nil {
				got <- err.Error()
				return
			}
			got <- body(t, a)
		}()
		until(t, func() bool { return o.Stats().Waiting > 0 })
		s.play(9400 * time.Millisecond)
		if b := <-got; !strings.Contains(b, hint+`"`) {
			t.Errorf("the part is not in %q", b)
		}
		// A viewer who hangs up frees its place.
		ctx, hangUp := context.WithCancel(t.Context())
		go func() {
			r, _ := http.NewRequestWithContext(ctx, "GET", base+"v1.m3u8?_HLS_msn=12", nil)
			_, err := c.Do(r)
			got <- fmt.Sprint(err)
		}()
		until(t, func() bool { return o.Stats().Waiting > 0 })
		hangUp()
		until(t, func() bool { return o.Stats().Waiting == 0 })
		<-got
	})
}

// TestBodyIsRefused: nobody reads the body of a request for a playlist.
func TestBodyIsRefused(t *testing.T) {
	eachTransport(t, func(t *testing.T, c *http.Client, base string, o *Server, _ *studio) {
		pr, pw := io.Pipe() // a body that never comes
		defer pw.Close()
		r, _ := http.NewRequest("GET", base+"v1.m3u8", pr)
		r.ContentLength = 1000
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != 400 {
			t.Errorf("%s", resp.Status)
		}
		resp.Body.Close()
	})
}

// TestStop: whoever waits is answered, and Run returns.
func TestStop(t *testing.T) {
	server, client := testTLS()
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			s := newStudio(t, "low")
			s.play(9 * time.Second)
			o := newOrigin(Config{}, s)
			secure := server
			if tr.scheme == "http" {
				secure = nil
			}
			addr, stop := run(t, o, secure)
			p := new(http.Protocols)
			tr.set(p)
			transport := &http.Transport{Protocols: p, TLSClientConfig: client.Clone()}
			defer transport.CloseIdleConnections()
			const waiters = 20
			status := make(chan string, waiters)
			for range waiters {
				go func() {
					r, err := (&http.Client{Transport: transport}).Get(tr.scheme + "://" + addr + "/live/shop/v1.m3u8?_HLS_msn=12")
					if err != nil {
						status <- err.Error()
						return
					}
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
					status <- r.Status
				}()
			}
			until(t, func() bool { return o.Stats().Waiting == waiters })
			if err := stop(); err != nil {
				t.Errorf("Run: %v", err)
			}
			for range waiters {
				if got := <-status; got != "503 Service Unavailable" {
					t.Error(got)
				}
			}
			if _, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
				t.Error("the listener is still open")
			}
		})
	}
}

func TestRunReportsAListenersFault(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := New(Config{}, stage{}, nil, quiet).Run(t.Context(), l); err == nil {
		t.Error("no error from a closed listener")
	}
}

func TestMaxConnections(t *testing.T) {
	s := newStudio(t, "low")
	o := newOrigin(Config{MaxConnections: 3}, s)
	addr, _ := run(t, o, nil)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	served := func(c net.Conn) bool {
		c.SetDeadline(time.Now().Add(atMost))
		fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		return err == nil && r.StatusCode == 200
	}
	var in []net.Conn
	for range 3 {
		c := dial()
		if !served(c) {
			t.Fatal("not served within the limit")
		}
		in = append(in, c)
	}
	if served(dial()) {
		t.Error("served one too many")
	}
	if st := o.Stats(); st.Connections != 3 || st.ConnectionsRefused != 1 {
		t.Errorf("%d connections, %d refused", st.Connections, st.ConnectionsRefused)
	}
	in[0].Close()
	until(t, func() bool { return o.Stats().Connections < 3 })
	if !served(dial()) {
		t.Error("a place was left, and not found")
	}
}

// TestGaugeNeverShowsMoreThanItsLimit: those who are refused are not seen in the count, not even for a moment.
func TestGaugeNeverShowsMoreThanItsLimit(t *testing.T) {
	var g gauge
	g.n.Store(3)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for range 20000 {
				if g.enter(3) {
					t.Error("let in")
				}
			}
		})
	}
	go func() { wg.Wait(); close(stop) }()
	for {
		select {
		case <-stop:
			return
		default:
		}
		if n := g.n.Load(); n > 3 {
			t.Fatalf("%d of 3", n)
		}
	}
}

// pipes is a listener of net.Pipe connections, for time that synctest makes.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) dial() net.Conn {
	near, far := net.Pipe()
	p.conns <- far
	return near
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// TestSlowPeers: whoever does not send a request, or does not read the answer, loses the connection.
func TestSlowPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, "low")
		s.play(9 * time.Second)
		o := newOrigin(Config{}, s)
		size := len(body(t, get(o, "GET", "/live/shop/e1abc/v1/9.m4s")))
		patience := writeTimeout + time.Duration(size)*time.Second/defaultMinRate
		l := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- o.Run(ctx, l) }()

		for _, c := range []struct {
			name, say string
			read      int // of the answer, before the peer falls asleep
			want      time.Duration
		}{
			{"says nothing", "", 0, headerTimeout},
			{"never ends its headers", "GET /live/shop/v1.m3u8 HTTP/1.1\r\nHost: x\r\nX: ", 0, headerTimeout},
			{"is idle", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 1000, idleTimeout},
			{"does not read a segment", "GET /live/shop/e1abc/v1/9.m4s HTTP/1.1\r\nHost: x\r\n\r\n", 5000, patience},
			{"does not read a playlist", "GET /live/shop/v1.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n", 1, writeTimeout},
		} {
			conn := l.dial()
			synctest.Wait() // for the server to count it
			began := time.Now()
			if c.say != "" {
				io.WriteString(conn, c.say)
			}
			if c.read > 0 {
				conn.Read(make([]byte, c.read))
			}
			for o.Stats().Connections > 0 {
				time.Sleep(100 * time.Millisecond)
			}
			if took := time.Since(began); took < c.want-time.Second || took > c.want+2*time.Second {
				t.Errorf("a peer who %s is let go after %v, not %v", c.name, took, c.want)
			}
			conn.Close()
		}
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

// TestLongHeaders: what is too long for a request is refused, not kept.
func TestLongHeaders(t *testing.T) {
	eachTransport(t, func(t *testing.T, c *http.Client, base string, o *Server, _ *studio) {
		r, _ := http.NewRequest("GET", base+"v1.m3u8", nil)
		r.Header.Set("Cookie", strings.Repeat("x", 4*maxHeaderBytes))
		if resp, err := c.Do(r); err == nil && resp.StatusCode != 431 {
			t.Errorf("%s", resp.Status)
		}
		resp, err := c.Get(base + "v1.m3u8")
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("the next request: %v, %v", resp, err)
		}
		resp.Body.Close()
	})
}
