package rtsp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	pion "github.com/pion/rtp"

	"pushcart/ingest"
	"pushcart/stream"
)

// ipCamera is an RTSP server with one stream, made of the library's other half. It wants a password.
type ipCamera struct {
	addr   string
	film   *fakeCamera
	noTCP  bool
	deaf   bool // to PLAY
	server *gortsplib.Server
	stream atomic.Pointer[gortsplib.ServerStream]
	asked  atomic.Int64 // DESCRIBEs with the right password
	stop   chan struct{}
	sent   sync.WaitGroup
}

const cameraUser, cameraPassword = "viewer", "p@ss:w/rd?"

func (c *ipCamera) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if !ctx.Conn.VerifyCredentials(ctx.Request, cameraUser, cameraPassword) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	c.asked.Add(1)
	stream := c.stream.Load()
	if stream == nil {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil // it has just begun
	}
	return &base.Response{StatusCode: base.StatusOK}, stream, nil
}

func (c *ipCamera) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if c.noTCP && ctx.Transport == gortsplib.TransportTCP {
		return &base.Response{StatusCode: base.StatusUnsupportedTransport}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, c.stream.Load(), nil
}

func (c *ipCamera) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	if c.deaf {
		<-c.stop
	}
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// start begins to film at c.addr, or at an address of its own.
func (c *ipCamera) start(t testing.TB) {
	t.Helper()
	if c.film == nil {
		c.film = clipCamera(t)
	}
	// Somebody else may have been lent a port in the moment in which it is free.
	own := c.addr == ""
	for end := time.Now().Add(atMost); ; time.Sleep(10 * time.Millisecond) {
		if own {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			c.addr = ln.Addr().String()
			ln.Close()
		}
		udp := udpPair(t)
		rtp, rtcp := udp.RTP.LocalAddr().String(), udp.RTCP.LocalAddr().String()
		udp.Close()
		c.server = &gortsplib.Server{Handler: c, RTSPAddress: c.addr, UDPRTPAddress: rtp, UDPRTCPAddress: rtcp}
		err := c.server.Start()
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
	var asc mpeg4audio.AudioSpecificConfig
	if err := asc.Unmarshal(c.film.sound.Config); err != nil {
		t.Fatal(err)
	}
	d := &description.Session{Medias: []*description.Media{
		{Type: description.MediaTypeVideo, Formats: []format.Format{&format.H264{PayloadTyp: 96, PacketizationMode: 1, SPS: c.film.sets[0], PPS: c.film.sets[1]}}},
		{Type: description.MediaTypeAudio, Formats: []format.Format{&format.MPEG4Audio{PayloadTyp: 97, Config: &asc, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}}},
	}}
	stream := &gortsplib.ServerStream{Server: c.server, Desc: d}
	if err := stream.Initialize(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	film := c.film.film(t, begin, 2*atMost)
	made := time.Since(begin) // which takes a busy machine a while
	c.stream.Store(stream)
	c.stop = make(chan struct{})
	c.sent.Go(func() {
		for _, p := range film {
			select {
			case <-c.stop:
				return
			case <-time.After(time.Until(p.Arrived.Add(made))):
			}
			stream.WritePacketRTP(d.Medias[p.media], &pion.Packet{
				Header:  pion.Header{Version: 2, PayloadType: uint8(96 + p.media), SequenceNumber: p.Sequence, Timestamp: p.Timestamp, SSRC: p.SSRC, Marker: p.Marker},
				Payload: p.Payload,
			})
		}
	})
}

// fallSilent has it send nothing any more.
func (c *ipCamera) fallSilent() {
	close(c.stop)
	c.sent.Wait()
}

func (c *ipCamera) close() {
	c.fallSilent()
	c.leave()
}

func (c *ipCamera) leave() {
	c.stream.Swap(nil).Close()
	c.server.Close()
}

// source is its address, as an operator writes it.
func (c *ipCamera) source() Source {
	return Source("rtsp://" + cameraUser + ":p%40ss%3Aw%2Frd%3F@" + c.addr + "/stream1?token=hush")
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// pulling runs a puller for one stream until the test ends.
type pulling struct {
	*Puller
	desk    *fakeDesk
	log     lockedBuffer
	viewers atomic.Int64
	taken   atomic.Bool
}

func pullFrom(t testing.TB, s Stream) *pulling {
	p := &pulling{desk: newFakeDesk()}
	s.Name = "cam1"
	p.Puller = &Puller{
		Streams: []Stream{s},
		Fetch: func(name, protocol, remote, agent string) (ingest.Publisher, error) {
			return p.desk.Open(ingest.Request{Key: name, Protocol: protocol, Agent: agent})
		},
		Taken:   func(string) bool { return p.taken.Load() },
		Viewers: func(string) int { return int(p.viewers.Load()) },
		Log:     slog.New(slog.NewTextHandler(&p.log, nil)),
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run returned %v", err)
		}
		for _, secret := range []string{"p@ss", "p%40ss", "hush", "viewer"} {
			if strings.Contains(p.log.String(), secret) {
				t.Errorf("the log tells %q:\n%s", secret, p.log.String())
			}
		}
	})
	return p
}

// TestPull fetches from a camera that asks for a password, by each transport, and survives its restart.
func TestPull(t *testing.T) {
	for _, tt := range []struct {
		transport string
		noTCP     bool
	}{{"", false}, {"tcp", false}, {"udp", false}, {"auto", true}} {
		t.Run(fmt.Sprintf("%q, no TCP %v", tt.transport, tt.noTCP), func(t *testing.T) {
			t.Parallel()
			c := &ipCamera{noTCP: tt.noTCP}
			c.start(t)
			p := pullFrom(t, Stream{Source: c.source(), Transport: tt.transport})
			shows := 0
			for round := range 2 {
				show := p.desk.Next(t)
				shows++
				// On a busy machine, UDP may come so late that the connection is given up: then another
				// is made, and has all.
				for !show.came(t, videoTrackID, 40) || !show.came(t, audioTrackID, 60) {
					show = p.desk.Next(t)
					shows++
				}
				if r := show.Request; r.Key != "cam1" || r.Protocol != "rtsp" || r.Agent != "gortsplib" {
					t.Errorf("request is %+v", r)
				}
				c.film.checkRow(t, show, tt.transport == "udp" || tt.noTCP)
				for end := time.Now().Add(atMost); !p.Stats()[0].Up; time.Sleep(10 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatal("it is not said to be up")
					}
				}
				c.close()
				if why := show.Ended(t); why == nil {
					t.Error("the show ended with a goodbye, not with a reason")
				}
				if round == 0 {
					// A try fails, at least; the camera may be back before it has been told of.
					end := time.Now().Add(atMost)
					for before := p.Stats()[0].Tries; p.Stats()[0].Tries < before+2; time.Sleep(10 * time.Millisecond) {
						if time.Now().After(end) {
							t.Fatal("it does not try again")
						}
					}
					c.start(t)
				}
			}
			if lines := strings.Count(p.log.String(), "\n"); lines > 2*shows || p.Stats()[0].Tries < 3 {
				t.Errorf("%d lines for %d tries:\n%s", lines, p.Stats()[0].Tries, p.log.String())
			}
		})
	}
}

// TestPullSilence has cameras that fall silent while all their connections stand, and one that never answers to PLAY: they are given up,
// though gortsplib is told to wait for ever.
func TestPullSilence(t *testing.T) {
	for _, transport := range []string{"tcp", "udp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			c := &ipCamera{}
			c.start(t)
			p := pullFrom(t, Stream{Source: c.source(), Transport: transport})
			show := p.desk.Next(t)
			show.wait(t, videoTrackID, 1)
			c.fallSilent()
			defer c.leave()
			if why := show.Ended(t); why == nil || !strings.Contains(why.Error(), "nothing has come") {
				t.Errorf("it ended with %v", why)
			}
		})
	}
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		c := &ipCamera{deaf: true}
		c.start(t)
		defer c.close()
		p := pullFrom(t, Stream{Source: c.source()})
		if why := p.desk.Next(t).Ended(t); !errors.As(why, new(liberrors.ErrClientRequestTimedOut)) {
			t.Errorf("it ended with %v", why)
		}
	})
}

// TestPullOnDemand fetches while somebody watches.
func TestPullOnDemand(t *testing.T) {
	c := &ipCamera{}
	c.start(t)
	defer c.close()
	p := pullFrom(t, Stream{Source: c.source(), OnDemand: true})
	if p.Want("another") {
		t.Error("a stream that is not there can be wanted")
	}
	time.Sleep(300 * time.Millisecond)
	if n := c.asked.Load(); n != 0 {
		t.Fatalf("the camera was asked %d times before anybody watched", n)
	}
	if !p.Want("cam1") {
		t.Fatal("it can't be wanted")
	}
	show := p.desk.Next(t)
	show.wait(t, videoTrackID, 10)
	p.byName["cam1"].asked.Store(time.Now().Add(-time.Hour).UnixNano()) // the last one has gone a while ago
	if why := show.Ended(t); why != nil {
		t.Errorf("it ended with %v", why)
	}
	p.viewers.Store(1)
	p.Want("cam1")
	show = p.desk.Next(t)
	p.byName["cam1"].asked.Store(time.Now().Add(-time.Hour).UnixNano())
	show.wait(t, videoTrackID, 60) // a viewer is there, though nobody has asked lately
}

// TestPullTaken leaves the show to a host who publishes it, and goes on when the host has gone.
func TestPullTaken(t *testing.T) {
	c := &ipCamera{}
	c.start(t)
	defer c.close()
	p := pullFrom(t, Stream{Source: c.source()})
	show := p.desk.Next(t)
	show.wait(t, videoTrackID, 10)
	p.taken.Store(true)
	show.End(stream.ErrTakenOver)
	show.Ended(t)
	asked := c.asked.Load()
	time.Sleep(takenPause + 2*time.Second)
	if c.asked.Load() != asked {
		t.Error("the camera is fetched beside the host")
	}
	p.taken.Store(false)
	p.desk.Next(t).wait(t, videoTrackID, 10)
	if strings.Contains(p.log.String(), "can't be fetched") {
		t.Errorf("the log blames the camera:\n%s", p.log.String())
	}
}

// TestPullForEver has a camera that is not there: tries become rarer, and go on; the log has one line.
func TestPullForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		p := &Puller{
			Streams: []Stream{{Name: "cam1", Source: "rtsp://viewer:secret@127.0.0.1:1/x"}},
			Taken:   func(string) bool { return false },
			Log:     slog.New(slog.NewTextHandler(&log, nil)),
		}
		p.init()
		pl := p.list[0]
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		tries, began := 0, time.Now()
		pl.tryOnce = func(context.Context) error {
			tries++
			return errors.New("dial tcp: connection to rtsp://viewer:secret@127.0.0.1:1/x refused")
		}
		pl.run(ctx)
		if lasted := time.Since(began); lasted < time.Hour || tries < 300 || tries > 1000 {
			t.Errorf("%d tries in %v", tries, lasted)
		}
		if text := log.String(); strings.Count(text, "\n") != 1 || strings.Contains(text, "secret") {
			t.Errorf("the log:\n%s", text)
		}
	})
}

// TestPullNowhereElse has a camera that sends us to another host: our password stays here.
func TestPullNowhereElse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	elsewhere := make(chan struct{}, 1)
	other, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	go func() {
		if nc, err := other.Accept(); err == nil {
			nc.Close()
			elsewhere <- struct{}{}
		}
	}()
	asked := make(chan struct{}, 100)
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				b := make([]byte, 4096)
				for cseq := 1; ; cseq++ {
					n, err := nc.Read(b)
					if err != nil {
						return
					}
					status := "200 OK"
					if bytes.HasPrefix(b[:n], []byte("DESCRIBE")) {
						status = "302 Found\r\nLocation: rtsp://" + other.Addr().String() + "/x"
						asked <- struct{}{}
					}
					fmt.Fprintf(nc, "RTSP/1.0 %s\r\nCSeq: %d\r\nPublic: DESCRIBE\r\n\r\n", status, cseq)
				}
			}()
		}
	}()
	pullFrom(t, Stream{Source: Source("rtsp://viewer:p%40ss@" + ln.Addr().String() + "/x")})
	<-asked
	<-asked
	select {
	case <-elsewhere:
		t.Error("it has gone there")
	default:
	}
}

func TestSource(t *testing.T) {
	for _, tt := range []struct {
		source Source
		shown  string
		ok     bool
	}{
		{"rtsp://viewer:secret@192.0.2.7/stream1", "rtsp://192.0.2.7/…", true},
		{"rtsps://192.0.2.7:322/secret?secret", "rtsps://192.0.2.7:322/…", true},
		{"rtsp://192.0.2.7/user=admin&password=secret&channel=1", "rtsp://192.0.2.7/…", true},
		{"rtsp://[2001:db8::1]:554/x", "rtsp://[2001:db8::1]:554/…", true},
		{"http://192.0.2.7/secret", "http://192.0.2.7/…", false},
		{"secret", "(hidden)", false},
		{"rtsp:///secret", "rtsp:///…", false},
		{"", "(hidden)", false},
	} {
		if got := tt.source.String(); got != tt.shown {
			t.Errorf("%s is shown as %s", string(tt.source), got)
		}
		err := tt.source.check()
		if (err == nil) != tt.ok || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", string(tt.source), err)
		}
		if s := fmt.Sprintf("%v %#v", tt.source, tt.source); strings.Contains(s, "secret") {
			t.Errorf("%s", s)
		}
	}
}

func TestConfigs(t *testing.T) {
	if err := (Config{}).WithDefaults().Validate(); err != nil {
		t.Error(err)
	}
	bad := Config{UDP: ":8555", MaxPending: -1, Reorder: time.Minute, Date: "never", IdleTimeout: -1}
	for _, key := range []string{"udp has the port", "max_pending is", "reorder is", "date is", "idle_timeout is"} {
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("no word of %q in %v", key, err)
		}
	}
	pull := PullConfig{Streams: []Stream{
		{Name: "a", Source: "rtsp://h/x"}, {Name: "a", Source: "rtsps://h/x", Transport: "udp"},
		{Name: "b/c", Source: "x", Transport: "mail", Date: "x"},
	}}
	for _, key := range []string{"streams[1].name is the same", "streams[1].transport can't", "streams[2].name:", "streams[2].source must", "streams[2].transport is", "streams[2].date is"} {
		if err := pull.Validate(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("no word of %q in %v", key, err)
		}
	}
}
