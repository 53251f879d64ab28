package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yapingcat/gomedia/go-codec"
	"github.com/yapingcat/gomedia/go-rtmp"
)

func TestClipLoops(t *testing.T) {
	if len(clipFLV) > 2_000_000 {
		t.Errorf("the clip has %d bytes", len(clipFLV))
	}
	c, err := loadClip(clipFLV)
	if err != nil {
		t.Fatal(err)
	}
	if c.length != 24*time.Second {
		t.Errorf("the clip lasts %v", c.length)
	}
	last := map[codec.CodecID]time.Duration{}
	for i := range 3 * len(c.frames) {
		f, at := c.at(i)
		if before, ok := last[f.codec]; ok {
			want := time.Second / pictureRate
			if f.codec == codec.CODECID_AUDIO_AAC {
				want = soundLen * time.Second / soundRate
			}
			if d := (at - before - want).Abs(); d > time.Microsecond {
				t.Fatalf("frame %d of %v comes %v after the one before it", i, f.codec, at-before)
			}
		}
		last[f.codec] = at
		if second := at%time.Second == 0; f.codec == codec.CODECID_VIDEO_H264 && second != codec.IsH264IDRFrame(f.data) {
			t.Fatalf("at %v: keyframe %v", at, !second)
		}
	}
}

func TestClipIsChecked(t *testing.T) {
	for name, damaged := range map[string][]byte{
		"nothing":     nil,
		"header only": clipFLV[:13],
		"cut short":   clipFLV[:len(clipFLV)/2],
	} {
		if _, err := loadClip(damaged); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// studio is an RTMP server that notes what is published. refuse, if set, is its answer to the first publish.
type studio struct {
	net.Listener
	refuse rtmp.StatusCode

	mu       sync.Mutex
	conns    []net.Conn
	pictures []uint32 // times
	sounds   []uint32
}

func newStudio(t *testing.T) *studio {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &studio{Listener: l}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *studio) serve(conn net.Conn) {
	defer conn.Close()
	handle := rtmp.NewRtmpServerHandle()
	handle.SetOutput(func(b []byte) error { _, err := conn.Write(b); return err })
	handle.OnPublish(func(app, name string) rtmp.StatusCode {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.conns = append(s.conns, conn)
		if len(s.conns) == 1 && s.refuse != "" {
			return s.refuse
		}
		return rtmp.NETSTREAM_PUBLISH_START
	})
	handle.OnFrame(func(id codec.CodecID, pts, _ uint32, _ []byte) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if id == codec.CODECID_VIDEO_H264 {
			s.pictures = append(s.pictures, pts)
		} else {
			s.sounds = append(s.sounds, pts)
		}
	})
	buf := make([]byte, 65536)
	for {
		n, err := conn.Read(buf)
		if err != nil || handle.Input(buf[:n]) != nil {
			return
		}
	}
}

func (s *studio) seen() (conns, pictures, sounds int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns), len(s.pictures), len(s.sounds)
}

// until waits for a condition, at most two minutes: it measures nothing.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within two minutes", what)
		}
	}
}

func TestHostPublishesAndComesBack(t *testing.T) {
	s := newStudio(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- (&Host{URL: "rtmp://" + s.Addr().String() + "/live/demo"}).Run(ctx)
	}()
	until(t, "media", func() bool { _, v, a := s.seen(); return v > 20 && a > 20 })
	s.mu.Lock()
	for i := 1; i < len(s.pictures); i++ {
		if d := s.pictures[i] - s.pictures[i-1]; d != 33 && d != 34 {
			t.Errorf("pictures %d ms apart", d)
		}
	}
	s.conns[0].Close()
	s.mu.Unlock()
	until(t, "second connection", func() bool { n, _, _ := s.seen(); return n == 2 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run returned %v", err)
	}
}

func TestHostTriesAgainWhenRefused(t *testing.T) {
	s := newStudio(t)
	s.refuse = rtmp.NETSTREAM_CONNECT_REJECTED
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go (&Host{URL: "rtmp://" + s.Addr().String() + "/live/demo"}).Run(ctx)
	until(t, "second publish", func() bool { n, v, _ := s.seen(); return n == 2 && v > 0 })
}

// The second round is the same as the first: sending a frame leaves it as it was.
func TestWriteLeavesTheClipAlone(t *testing.T) {
	show, err := loadClip(clipFLV)
	if err != nil {
		t.Fatal(err)
	}
	pristine, err := loadClip(clipFLV)
	if err != nil {
		t.Fatal(err)
	}
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close() })
	go io.Copy(io.Discard, there)
	p := &publisher{conn: here, client: rtmp.NewRtmpClient(rtmp.WithEnablePublish())}
	p.client.SetOutput(func([]byte) error { return nil })
	for i := range show.frames {
		f, at := show.at(i)
		if err := p.write(f, at); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.data, pristine.frames[i].data) {
			t.Fatalf("frame %d has changed", i)
		}
	}
}

// With nobody to answer, the host asks less and less often, and says so each time.
func TestHostBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute-time.Millisecond)
		defer cancel()
		var lines lineCounter
		host := &Host{URL: "rtmp://127.0.0.1:1/live/demo", Log: slog.New(slog.NewTextHandler(&lines, nil))}
		if err := host.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if lines != 7 { // after 0, 1, 3, 7, 15, 30 and 45 s
			t.Errorf("%d attempts in a minute", lines)
		}
	})
}

type lineCounter int

func (c *lineCounter) Write(b []byte) (int, error) { *c++; return len(b), nil }
