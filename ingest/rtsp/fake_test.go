package rtsp

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"pushcart/ingest"
	"pushcart/ingest/doortest"
	"pushcart/media"
)

const atMost = doortest.AtMost

// fakeDesk lets hosts in and records what they deliver.
type fakeDesk = doortest.Desk[*fakeShow]

func newFakeDesk() *fakeDesk {
	return doortest.NewDesk(func(r ingest.Request) *fakeShow {
		s := newFakeShow()
		s.Request = r
		return s
	})
}

// fakeShow is one publish.
type fakeShow struct {
	*doortest.Session

	// Guarded by the session's lock.
	units   []media.AccessUnit
	arrived []time.Time // of units
	counts  map[string]int64
	remarks []string
	zero    time.Time
}

func newFakeShow() *fakeShow {
	return &fakeShow{Session: doortest.NewSession(ingest.Request{}), counts: make(map[string]int64)}
}

func (s *fakeShow) SetTrack(t media.Track) error {
	if _, err := media.ParseConfig(t); err != nil {
		return err
	}
	return s.Session.SetTrack(t)
}

func (s *fakeShow) Write(au media.AccessUnit) error {
	s.Lock()
	defer s.Unlock()
	s.units = append(s.units, au)
	s.arrived = append(s.arrived, time.Now())
	return nil
}

func (s *fakeShow) Count(repair string, n int64) {
	s.Lock()
	defer s.Unlock()
	s.counts[repair] += n
}

func (s *fakeShow) Remark(_, sentence string) {
	s.Lock()
	defer s.Unlock()
	s.remarks = append(s.remarks, sentence)
}

func (s *fakeShow) Date(zero time.Time) {
	s.Lock()
	defer s.Unlock()
	s.zero = zero
}

// of returns the units of a track.
func (s *fakeShow) of(id int) []media.AccessUnit {
	s.Lock()
	defer s.Unlock()
	var units []media.AccessUnit
	for _, au := range s.units {
		if au.Track == id {
			units = append(units, au)
		}
	}
	return units
}

// wait waits until there are n units of a track.
func (s *fakeShow) wait(t testing.TB, id, n int) []media.AccessUnit {
	t.Helper()
	for end := time.Now().Add(atMost); ; time.Sleep(10 * time.Millisecond) {
		if units := s.of(id); len(units) >= n {
			return units
		}
		if time.Now().After(end) {
			t.Fatalf("track %d has %d units of %d; remarks %q, counts %v", id, len(s.of(id)), n, s.remarks, s.counts)
		}
	}
}

// came waits until there are n units of a track, or the show is over: then it reports false.
func (s *fakeShow) came(t testing.TB, id, n int) bool {
	t.Helper()
	for end := time.Now().Add(atMost); len(s.of(id)) < n; time.Sleep(10 * time.Millisecond) {
		select {
		case <-s.Left:
			return len(s.of(id)) >= n
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("track %d has %d units of %d", id, len(s.of(id)), n)
		}
	}
	return true
}

// track returns the latest announcement of a track.
func (s *fakeShow) track(t testing.TB, id int) media.Track {
	t.Helper()
	found, ok := s.Track(id)
	if !ok {
		t.Fatalf("track %d was not announced; remarks %q", id, s.remarks)
	}
	return found
}

// start runs a server on loopback ports until the test ends, and returns the address for both protocols.
func start(t testing.TB, s *Server) string {
	t.Helper()
	if s.Log == nil {
		s.Log = doortest.Silent()
	}
	udp := listenPair(t)
	return doortest.Run(t, func(ctx context.Context, ln net.Listener) error { return s.Run(ctx, ln, udp) })
}

// listen opens a listener and a pair of UDP sockets.
func listen(t testing.TB) (net.Listener, *UDP) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln, listenPair(t)
}

// listenPair opens a pair of UDP sockets.
func listenPair(t testing.TB) *UDP {
	t.Helper()
	for range 100 {
		probe, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := probe.LocalAddr().(*net.UDPAddr).Port &^ 1
		probe.Close()
		if udp, err := ListenUDP("127.0.0.1:" + strconv.Itoa(port)); err == nil {
			return udp
		}
	}
	t.Fatal("no two UDP ports are free")
	return nil
}

// ffmpeg returns a command. Without ffmpeg the test is skipped, or fails where it must not be (CI is set).
func ffmpeg(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ffmpeg is missing: make tools installs it")
		}
		t.Skip("ffmpeg is missing")
	}
	return exec.CommandContext(t.Context(), path, append([]string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning"}, args...)...)
}
