package rtsp

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/rtp"

	"pushcart/ingest"
	"pushcart/stream"
)

// rawClient speaks RTSP by hand.
type rawClient struct {
	t       testing.TB
	nc      net.Conn
	r       *bufio.Reader
	url     string
	seq     int
	session string
}

// dial connects to a server. path is what follows the host in addresses.
func dial(t testing.TB, addr, path string) *rawClient {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(atMost))
	return &rawClient{t: t, nc: nc, r: bufio.NewReader(nc), url: "rtsp://" + addr + path}
}

// response is what a server answers.
type response struct {
	status int
	reason string
	header textproto.MIMEHeader
}

// do sends a request and returns the answer. headers are "Name: value".
func (c *rawClient) do(method, url, body string, headers ...string) response {
	c.t.Helper()
	r, err := c.try(method, url, body, headers...)
	if err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	return r
}

func (c *rawClient) try(method, url, body string, headers ...string) (response, error) {
	c.seq++
	text := fmt.Sprintf("%s %s RTSP/1.0\r\nCSeq: %d\r\nUser-Agent: raw\r\n", method, url, c.seq)
	if c.session != "" {
		text += "Session: " + c.session + "\r\n"
	}
	for _, h := range headers {
		text += h + "\r\n"
	}
	if body != "" {
		text += "Content-Type: application/sdp\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	if _, err := io.WriteString(c.nc, text+"\r\n"+body); err != nil {
		return response{}, err
	}
	tp := textproto.NewReader(c.r)
	line, err := tp.ReadLine()
	if err != nil {
		return response{}, err
	}
	header, err := tp.ReadMIMEHeader()
	if err != nil {
		return response{}, err
	}
	words := strings.SplitN(line, " ", 3)
	status, _ := strconv.Atoi(words[1])
	if s := header.Get("Session"); s != "" {
		c.session, _, _ = strings.Cut(s, ";")
	}
	return response{status, words[2], header}, nil
}

// publish announces a camera's streams and records. With udp, it returns where its packets have to go, and sends
// them from the sockets given.
func (c *rawClient) publish(camera *fakeCamera, udp ...*UDP) (ports []int) {
	c.t.Helper()
	if r := c.do("ANNOUNCE", c.url, camera.describe()); r.status != 200 {
		c.t.Fatalf("ANNOUNCE: %d %s", r.status, r.reason)
	}
	for i := range 2 {
		transport := fmt.Sprintf("Transport: RTP/AVP/TCP;unicast;interleaved=%d-%d;mode=record", 2*i, 2*i+1)
		if len(udp) > 0 {
			port := udp[i].RTP.LocalAddr().(*net.UDPAddr).Port
			transport = fmt.Sprintf("Transport: RTP/AVP;unicast;client_port=%d-%d;mode=record", port, port+1)
		}
		r := c.do("SETUP", fmt.Sprintf("%s/trackID=%d", c.url, i), "", transport)
		if r.status != 200 {
			c.t.Fatalf("SETUP: %d %s", r.status, r.reason)
		}
		if _, after, ok := strings.Cut(r.header.Get("Transport"), "server_port="); ok {
			n, _, _ := strings.Cut(after, "-")
			port, _ := strconv.Atoi(n)
			ports = append(ports, port)
		}
	}
	if r := c.do("RECORD", c.url, ""); r.status != 200 {
		c.t.Fatalf("RECORD: %d %s", r.status, r.reason)
	}
	return ports
}

// wire is a packet's bytes.
func wire(t testing.TB, p sent) []byte {
	t.Helper()
	b, err := (&pion.Packet{
		Header:  pion.Header{Version: 2, PayloadType: uint8(96 + p.media), SequenceNumber: p.Sequence, Timestamp: p.Timestamp, SSRC: p.SSRC, Marker: p.Marker},
		Payload: p.Payload,
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// send puts a packet on the connection.
func (c *rawClient) send(p sent) error {
	b := wire(c.t, p)
	head := binary.BigEndian.AppendUint16([]byte{'$', byte(2 * p.media)}, uint16(len(b)))
	_, err := c.nc.Write(append(head, b...))
	return err
}

func clipCamera(t testing.TB) *fakeCamera {
	c := &fakeCamera{clip: "h264"}
	c.prepare(t)
	return c
}

// TestRefusals has what is turned down, with the status and a sentence.
func TestRefusals(t *testing.T) {
	desk := newFakeDesk()
	desk.Refuse = func(r ingest.Request) error {
		if r.Key != "good" {
			return &ingest.Refusal{Reason: "No such key."}
		}
		return nil
	}
	addr := start(t, &Server{Opener: desk})
	c := clipCamera(t)
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("any:good"))
	for _, tt := range []struct {
		name, path, body string
		headers          []string
		status           int
		reason           string
	}{
		{"wrong key", "/live/bad", c.describe(), nil, 401, "No such key."},
		{"no key", "/live", c.describe(), nil, 401, "The stream key is missing"},
		{"another app", "/shop/good", c.describe(), nil, 403, `"/live/"`},
		{"key as password", "/live", c.describe(), []string{basic}, 200, "OK"},
		{"key as password, name in the address", "/live/shop", c.describe(), []string{basic}, 200, "OK"},
		{"wrong password", "/live", c.describe(), []string{"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("a:b"))}, 403, "No such key."},
		{"nonsense for credentials", "/live/good", c.describe(), []string{"Authorization: Nonsense"}, 200, "OK"},
		{"long key", "/live/" + strings.Repeat("k", 600), c.describe(), nil, 403, "too long"},
		{"no description", "/live/good", "x", nil, 400, "no streams"},
		{"too many streams", "/live/good", strings.Repeat("m=video 0 RTP/AVP 96\r\n", 40), nil, 400, "more than 16"},
		{"long description", "/live/good", c.describe() + strings.Repeat("a=x\r\n", 5000), nil, 400, "longer than 16 KiB"},
		{"nothing that can be carried", "/live/good", "m=video 0 RTP/AVP 26\r\n", nil, 415, "Motion JPEG"},
		{"neither video nor audio", "/live/good", "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n", nil, 415, "neither"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			raw := dial(t, addr, tt.path)
			r := raw.do("ANNOUNCE", raw.url, tt.body, tt.headers...)
			if r.status != tt.status || !strings.Contains(r.reason, tt.reason) {
				t.Errorf("%d %s", r.status, r.reason)
			}
			if challenge := r.header.Values("WWW-Authenticate"); (r.status == 401) != (len(challenge) == 2) {
				t.Errorf("challenges: %q", challenge)
			}
		})
	}
	t.Run("playing", func(t *testing.T) {
		raw := dial(t, addr, "/live/good")
		for _, method := range []string{"DESCRIBE", "SETUP"} {
			if r := raw.do(method, raw.url+"/trackID=0", "", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"); r.status != 404 || !strings.Contains(r.reason, "HTTP") {
				t.Errorf("%s: %d %s", method, r.status, r.reason)
			}
		}
	})
}

// TestAudioLeftOut has a camera with sound that can't be carried: the picture is, and the operator is told.
func TestAudioLeftOut(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	c := clipCamera(t)
	body := strings.Replace(c.describe(), "MPEG4-GENERIC/48000/2", "G726-32/8000", 1)
	raw := dial(t, addr, "/live/k")
	if r := raw.do("ANNOUNCE", raw.url, body); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.reason)
	}
	for i := range 2 {
		if r := raw.do("SETUP", fmt.Sprintf("%s/trackID=%d", raw.url, i), "", fmt.Sprintf("Transport: RTP/AVP/TCP;unicast;interleaved=%d-%d;mode=record", 2*i, 2*i+1)); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.reason)
		}
	}
	raw.do("RECORD", raw.url, "")
	for _, p := range c.film(t, time.Now(), 3*time.Second) {
		raw.send(p)
	}
	show := desk.Next(t)
	show.wait(t, videoTrackID, 80)
	show.Lock()
	defer show.Unlock()
	if len(show.remarks) != 1 || !strings.Contains(show.remarks[0], "G.726") || !strings.Contains(show.remarks[0], "AAC") || show.Audio {
		t.Errorf("remarks %q, audio expected: %v", show.remarks, show.Audio)
	}
}

// TestEnds has a session end in every way, and the show hear why.
func TestEnds(t *testing.T) {
	desk := newFakeDesk()
	s, strict := &Server{Opener: desk}, &Server{Opener: desk, Config: Config{IdleTimeout: time.Second}}
	addr, strictAddr := start(t, s), start(t, strict)
	c := clipCamera(t)
	for _, tt := range []struct {
		name string
		end  func(*rawClient, *fakeShow)
		want string
	}{
		{"goodbye", func(raw *rawClient, _ *fakeShow) { raw.do("TEARDOWN", raw.url, "") }, ""},
		{"hung up", func(raw *rawClient, _ *fakeShow) { raw.nc.Close() }, errHungUp.Error()},
		{"silence", func(*rawClient, *fakeShow) {}, "nothing has come from the host for 1s"},
		{"taken over", func(_ *rawClient, show *fakeShow) { show.End(stream.ErrTakenOver) }, stream.ErrTakenOver.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The one who falls silent meets a door that does not wait for long, and that need not wait for
			// all of the film on a busy machine.
			silent := tt.name == "silence"
			to := map[bool]string{false: addr, true: strictAddr}[silent]
			raw := dial(t, to, "/live/k")
			raw.publish(c)
			show := desk.Next(t)
			for _, p := range c.film(t, time.Now(), time.Second) {
				raw.send(p)
			}
			if !silent {
				show.wait(t, videoTrackID, 20)
			}
			tt.end(raw, show)
			why := show.Ended(t)
			if (why == nil) != (tt.want == "") || why != nil && !strings.Contains(why.Error(), tt.want) {
				t.Errorf("it ended with %v, want %q", why, tt.want)
			}
		})
	}
	for end := time.Now().Add(atMost); s.Stats().Publishing+strict.Stats().Publishing > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v %+v", s.Stats(), strict.Stats())
		}
	}
}

// TestUDPSessions publishes by UDP beside garbage from everywhere: the show goes on, and no picture of it is
// torn. Then the connection breaks, and then the packets end.
func TestUDPSessions(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	c := clipCamera(t)
	sockets := []*UDP{udpPair(t), udpPair(t)}
	raw := dial(t, addr, "/live/k")
	ports := raw.publish(c, sockets...)
	show := desk.Next(t)
	stop := make(chan struct{})
	defer close(stop)
	for range 3 {
		go garbage(ports[0], stop)
	}
	c.filmUDP(t, show, 60, sockets, ports[0])
	c.checkPictures(t, show)
	raw.nc.Close()
	if why := show.Ended(t); why != errHungUp {
		t.Errorf("it ended with %v", why)
	}
	show.Lock()
	defer show.Unlock()
	t.Logf("counts %v", show.counts)
}

// Who falls silent on UDP is given up, also if nothing has come at all: gortsplib is told to wait for ever.
func TestUDPSilence(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk, Config: Config{IdleTimeout: time.Second}})
	c := clipCamera(t)
	for _, sent := range []bool{true, false} {
		sockets := []*UDP{udpPair(t), udpPair(t)}
		ports := dial(t, addr, "/live/k").publish(c, sockets...)
		show := desk.Next(t)
		if sent {
			p := c.film(t, time.Now(), time.Second)[0]
			sockets[p.media].RTP.WriteTo(wire(t, p), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: ports[0]})
		}
		if why := show.Ended(t); why == nil || !strings.Contains(why.Error(), "nothing has come from the host for 1s") {
			t.Errorf("it ended with %v", why)
		}
	}
}

// A host whose media come by UDP keeps its session alive with requests for as long as the show lasts: that is no stranger who
// sends too much.
func TestUDPKeepsAlive(t *testing.T) {
	addr := start(t, &Server{Opener: newFakeDesk()})
	raw := dial(t, addr, "/live/k")
	raw.publish(clipCamera(t), udpPair(t), udpPair(t))
	const padding = 1000
	for i := range 2 * budgetBeforeRecord / padding {
		if r, err := raw.try("OPTIONS", raw.url, "", "X-Padding: "+strings.Repeat("x", padding)); err != nil || r.status != 200 {
			t.Fatalf("request %d: %d %s, %v", i, r.status, r.reason, err)
		}
	}
}

// A machine that stands still has not heard that nothing came: a camera does not lose its show for that.
func TestQuiet(t *testing.T) {
	f := new(feed)
	now := time.Now()
	look := func(after time.Duration) time.Duration {
		now = now.Add(after)
		d, _ := f.quiet(now)
		return d
	}
	look(0)
	if d := look(time.Minute); d > maxLook {
		t.Errorf("a minute without a look counts as %v of silence", d)
	}
	f.silence = 0
	for range 4 * 30 {
		look(tickTCP)
	}
	if d := look(0); d != 30*time.Second {
		t.Errorf("half a minute of silence counts as %v", d)
	}
}

// TestUDPPorts has an encoder come back from the same ports while its old session hangs, and another that
// wants them, too.
func TestUDPPorts(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	c := clipCamera(t)
	sockets := []*UDP{udpPair(t), udpPair(t)}
	dial(t, addr, "/live/k").publish(c, sockets...)
	old := desk.Next(t)

	other := dial(t, addr, "/live/other")
	if r := other.do("ANNOUNCE", other.url, c.describe()); r.status != 200 {
		t.Fatal(r)
	}
	port := sockets[0].RTP.LocalAddr().(*net.UDPAddr).Port
	if r := other.do("SETUP", other.url+"/trackID=0", "", fmt.Sprintf("Transport: RTP/AVP;unicast;client_port=%d-%d;mode=record", port, port+1)); r.status != 461 || !strings.Contains(r.reason, "same UDP ports") {
		t.Errorf("%d %s", r.status, r.reason)
	}
	desk.Next(t)

	old.End(stream.ErrTakenOver)
	ports := dial(t, addr, "/live/k").publish(c, sockets...)
	show := desk.Next(t)
	old.Ended(t)
	c.filmUDP(t, show, 55, sockets, ports[0])
}

// filmUDP sends from the sockets given until n pictures have come through: a busy machine's kernel may drop packets.
func (c *fakeCamera) filmUDP(t testing.TB, show *fakeShow, n int, sockets []*UDP, port int) {
	t.Helper()
	to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	for _, p := range c.film(t, time.Now(), atMost) {
		time.Sleep(time.Until(p.Arrived))
		sockets[p.media].RTP.WriteTo(wire(t, p), to)
		if len(show.of(videoTrackID)) >= n {
			return
		}
	}
	t.Fatalf("%d pictures of %d have come", len(show.of(videoTrackID)), n)
}

func udpPair(t testing.TB) *UDP {
	udp := listenPair(t)
	t.Cleanup(func() { udp.Close() })
	return udp
}

// garbage sends nonsense to a port until stop is closed.
func garbage(port int, stop chan struct{}) {
	nc, err := net.Dial("udp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return
	}
	defer nc.Close()
	b := make([]byte, 200)
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		b[0], b[1], b[i%200] = 0x80, 96, byte(i)
		nc.Write(b)
		time.Sleep(200 * time.Microsecond)
	}
}

// TestStrangers opens connections that say nothing, say too much, or too little: they are bounded, end in time, and
// a host comes in beside them.
func TestStrangers(t *testing.T) {
	desk := newFakeDesk()
	s := &Server{Opener: desk, Config: Config{MaxPending: 20, MaxConnectionsPerAddress: 1000}}
	addr := start(t, s)
	c := clipCamera(t)
	raw := dial(t, addr, "/live/k")
	raw.publish(c)
	show := desk.Next(t)
	var strangers []net.Conn
	for i := range 200 {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		strangers = append(strangers, nc)
		switch i % 4 {
		case 1:
			io.WriteString(nc, "ANNOUNCE rtsp://x/live/k RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 100000\r\n\r\n")
		case 2:
			io.WriteString(nc, "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
		case 3:
			nc.Write([]byte{'$', 0, 0xFF, 0xFF, 1, 2, 3})
		}
	}
	if n := s.Stats().Connections; n > 22 {
		t.Errorf("%d connections are open", n)
	}
	for _, p := range c.film(t, time.Now(), 3*time.Second) {
		if err := raw.send(p); err != nil {
			t.Fatalf("the host is disturbed: %v", err)
		}
	}
	show.wait(t, videoTrackID, 80)
	for _, nc := range strangers {
		nc.SetReadDeadline(time.Now().Add(atMost))
		if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("a stranger may stay for ever")
		}
	}
	for end := time.Now().Add(atMost); s.Stats().Connections > 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", s.Stats())
		}
	}
	t.Run("per address", func(t *testing.T) {
		s := &Server{Opener: desk, Config: Config{MaxConnectionsPerAddress: 3}}
		addr := start(t, s)
		for range 3 {
			raw := dial(t, addr, "/live/k")
			raw.do("OPTIONS", raw.url, "")
		}
		raw := dial(t, addr, "/live/k")
		if _, err := raw.try("OPTIONS", raw.url, ""); err == nil {
			t.Error("a fourth connection is let in")
		}
	})
	t.Run("too many bytes", func(t *testing.T) {
		raw := dial(t, addr, "/live/k")
		for range 2000 {
			if _, err := raw.try("OPTIONS", raw.url, "", "X-Padding: "+strings.Repeat("x", 1000)); err != nil {
				return
			}
		}
		t.Error("a stranger may go on for ever")
	})
	t.Run("too many attempts", func(t *testing.T) {
		desk := newFakeDesk()
		desk.Refuse = func(ingest.Request) error { return &ingest.Refusal{Reason: "No."} }
		addr := start(t, &Server{Opener: desk})
		raw := dial(t, addr, "/live/k")
		for i := range 20 {
			if _, err := raw.try("ANNOUNCE", raw.url, c.describe()); err != nil {
				if i > maxAnnounces+1 {
					t.Errorf("%d attempts", i)
				}
				return
			}
		}
		t.Error("one may try for ever")
	})
}
