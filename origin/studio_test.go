package origin

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager"
	"pushcart/stream"
)

// showEpoch is in the names of all objects of a studio's show.
const showEpoch = "e1abc"

// studio is a real packager that is fed by hand. Its methods are for one goroutine at a time.
type studio struct {
	t      testing.TB
	mu     sync.Mutex
	p      *packager.Packager
	video  *mediatest.Video
	audio  *mediatest.Audio
	nv, na int // units so far
}

// newStudio makes a show of video and audio, without a unit yet.
func newStudio(t testing.TB, preset string) *studio {
	t.Helper()
	s := emptyStudio(t, preset)
	s.video, s.audio = &mediatest.Video{}, &mediatest.Audio{}
	s.begin()
	return s
}

func newAudioStudio(t testing.TB) *studio {
	t.Helper()
	s := emptyStudio(t, "low")
	s.audio = &mediatest.Audio{}
	s.begin()
	return s
}

func emptyStudio(t testing.TB, preset string) *studio {
	t.Helper()
	latency, ok := packager.Preset(preset)
	if !ok {
		t.Fatalf("no preset %q", preset)
	}
	return &studio{t: t, p: packager.New(packager.Config{Latency: latency}, packager.Show{
		Epoch: showEpoch, Start: time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC), FirstMSN: 1,
	})}
}

func (s *studio) begin() {
	var tracks []media.Track
	if s.video != nil {
		tracks = append(tracks, s.video.Track())
	}
	if s.audio != nil {
		tracks = append(tracks, s.audio.Track())
	}
	s.apply(stream.Event{Kind: stream.EventTracks, Tracks: tracks})
}

func (s *studio) apply(ev stream.Event) {
	if err := s.p.Apply(ev); err != nil {
		s.t.Errorf("packager: %v", err)
	}
}

// play feeds the show up to the media time t.
func (s *studio) play(t time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		var au media.AccessUnit
		var at time.Duration
		pick := 0
		if s.video != nil {
			au = s.video.Unit(s.nv)
			at = media.Duration(au.DTS, s.video.Track().Timescale)
		}
		if s.audio != nil {
			a := s.audio.Unit(s.na)
			if d := media.Duration(a.DTS, s.audio.Track().Timescale); s.video == nil || d < at {
				au, at, pick = a, d, 1
			}
		}
		if at >= t {
			return
		}
		if pick == 0 && s.video != nil {
			s.nv++
		} else {
			s.na++
		}
		s.apply(stream.Event{Unit: au})
	}
}

// end ends the show.
func (s *studio) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply(stream.Event{Kind: stream.EventEnded})
}

// stage is Shows for tests.
type stage map[string]Show

func (s stage) Show(name string) (Show, bool) {
	show, ok := s[name]
	return show, ok
}

// newOrigin serves the studio's show as "shop".
func newOrigin(cfg Config, s *studio) *Server {
	return New(cfg, stage{"shop": s.p.Window()}, nil, quiet)
}

var quiet = slog.New(slog.DiscardHandler)

// get asks the handler, without a network.
func get(h http.Handler, method, target string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return string(b)
}

// uris returns the values of the attribute or line that name URIs, in order: those of lines that begin
// with tag, or, for "", the lines without a tag.
func uris(playlist, tag string) (all []string) {
	for line := range strings.Lines(playlist) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case tag == "" && line[0] != '#':
			all = append(all, line)
		case tag != "" && strings.HasPrefix(line, tag):
			if _, after, ok := strings.Cut(line, `URI="`); ok {
				uri, _, _ := strings.Cut(after, `"`)
				all = append(all, uri)
			}
		}
	}
	return all
}

// last returns the last of all, and fails the test if there is none.
func last(t testing.TB, all []string) string {
	t.Helper()
	if len(all) == 0 {
		t.Fatal("the playlist names none")
	}
	return all[len(all)-1]
}
