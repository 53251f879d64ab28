package rtsp

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"pushcart/ingest"
	"pushcart/media"
)

// atMost is how long anything may take before a test gives up, on a machine however busy. It measures nothing.
const atMost = 2 * time.Minute

// fakeDesk lets hosts in and records what they deliver. A nil function accepts everything.
type fakeDesk struct {
	refuse func(ingest.Request) error
	came   chan *fakeShow
}

func newFakeDesk() *fakeDesk { return &fakeDesk{came: make(chan *fakeShow, 100)} }

func (d *fakeDesk) Open(r ingest.Request) (ingest.Publisher, error) {
	if d.refuse != nil {
		if err := d.refuse(r); err != nil {
			return nil, err
		}
	}
	s := newFakeShow()
	s.request = r
	d.came <- s
	return s, nil
}

// next waits for the next host.
func (d *fakeDesk) next(t testing.TB) *fakeShow {
	t.Helper()
	select {
	case s := <-d.came:
		return s
	case <-time.After(atMost):
		t.Fatal("nobody has published in time")
		return nil
	}
}

// fakeShow is one publish.
type fakeShow struct {
	request ingest.Request
	closed  chan struct{}
	done    chan struct{}

	mu           sync.Mutex
	tracks       []media.Track // every SetTrack
	units        []media.AccessUnit
	arrived      []time.Time // of units
	promised     bool
	video, audio bool
	why, err     error
	counts       map[string]int64
	remarks      []string
	zero         time.Time
}

func newFakeShow() *fakeShow {
	return &fakeShow{closed: make(chan struct{}), done: make(chan struct{}), counts: make(map[string]int64)}
}

func (s *fakeShow) SetTrack(t media.Track) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := media.ParseConfig(t); err != nil {
		return err
	}
	s.tracks = append(s.tracks, t)
	return nil
}

func (s *fakeShow) Expect(video, audio bool) { s.promised, s.video, s.audio = true, video, audio }

func (s *fakeShow) Write(au media.AccessUnit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.units = append(s.units, au)
	s.arrived = append(s.arrived, time.Now())
	return nil
}

func (s *fakeShow) Done() <-chan struct{} { return s.done }

func (s *fakeShow) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// end ends the session from its side.
func (s *fakeShow) end(err error) {
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	close(s.done)
}

func (s *fakeShow) Close(why error) {
	s.mu.Lock()
	s.why = why
	s.mu.Unlock()
	close(s.closed)
}

func (s *fakeShow) Count(repair string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[repair] += n
}

func (s *fakeShow) Remark(_, sentence string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remarks = append(s.remarks, sentence)
}

func (s *fakeShow) Date(zero time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zero = zero
}

// ended waits until the door has left, and returns why.
func (s *fakeShow) ended(t testing.TB) error {
	t.Helper()
	select {
	case <-s.closed:
	case <-time.After(atMost):
		t.Fatal("the publish has not ended in time")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// of returns the units of a track.
func (s *fakeShow) of(id int) []media.AccessUnit {
	s.mu.Lock()
	defer s.mu.Unlock()
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
		case <-s.closed:
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.tracks) - 1; i >= 0; i-- {
		if s.tracks[i].ID == id {
			return s.tracks[i]
		}
	}
	t.Fatalf("track %d was not announced; remarks %q", id, s.remarks)
	return media.Track{}
}

// start runs a server on loopback ports until the test ends, and returns the address for both protocols.
func start(t testing.TB, s *Server) string {
	t.Helper()
	ln, udp := listen(t)
	if s.Log == nil {
		s.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx, ln, udp) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	return ln.Addr().String()
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
