package sound

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
	"pushcart/transcode/transcodetest"
)

// house is one with a studio.
type house struct {
	hub    *stream.Hub
	studio *Studio
	shows  chan *stream.Stream
}

func newHouse(t *testing.T, opt Options) *house {
	t.Helper()
	if opt.FFmpeg == "" {
		opt.FFmpeg = "ffmpeg"
		if other := os.Getenv("FFMPEG"); other != "" {
			opt.FFmpeg = other // to try another one
		}
	}
	opt.Nice = 1
	h := transcodetest.Open(t, func(hub *stream.Hub, log *slog.Logger) *Studio { return New(opt, hub, log) })
	return &house{h.Hub, h.Room, h.Shows}
}

// picture is a host's video track; its first unit, the keyframe with which readers begin, is a second into the show.
var picture = mediatest.Video{ID: 9, Start: 90_000}

// host begins a show with a picture and these tracks.
func (h *house) host(t *testing.T, name string, tracks ...media.Track) (*stream.Publisher, *stream.Stream) {
	t.Helper()
	p, err := h.hub.Publish(name, stream.Source{Protocol: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Begin(append([]media.Track{picture.Track()}, tracks...)); err != nil {
		t.Fatal(err)
	}
	if err := p.Write(picture.Unit(0)); err != nil {
		t.Fatal(err)
	}
	return p, p.Stream()
}

func write(t *testing.T, p *stream.Publisher, units []media.AccessUnit) {
	t.Helper()
	for _, au := range units {
		if err := p.Write(au); err != nil {
			t.Fatal(err)
		}
	}
}

// heard is what has come of one track that the studio has made.
type heard struct {
	track media.Track
	units []media.AccessUnit
}

// end is when the newest unit ends, in seconds.
func (h *heard) end() float64 {
	if h == nil || len(h.units) == 0 {
		return 0
	}
	return float64(h.units[len(h.units)-1].DTS+frameSamples) / float64(h.track.Timescale)
}

// listen follows the show until enough says so of the contributed tracks that are not internal and are there, by language
// and group, and of the last event. On a machine with too much to do, a process may be given up and another makes all of it
// again.
func listen(t *testing.T, s *stream.Stream, enough func(map[string]*heard, stream.Event) bool) map[string]*heard {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	r := s.NewReader()
	defer r.Close()
	tracks, byID := make(map[string]*heard), make(map[int]*heard)
	for {
		events, err := r.Next(ctx)
		if errors.Is(err, stream.ErrLagged) {
			continue
		}
		if err != nil {
			text := ""
			for key, x := range tracks {
				text += fmt.Sprintf("%q: %d units; ", key, len(x.units))
			}
			t.Fatalf("after %s: %v", text, err)
		}
		for _, ev := range events {
			for _, tr := range ev.Tracks {
				if !tr.Contributed || tr.Internal {
					continue
				}
				key := strings.TrimSpace(tr.Language + " " + tr.Group)
				if ev.Kind == stream.EventLeft {
					delete(tracks, key)
					continue
				}
				if tracks[key] == nil {
					tracks[key] = new(heard)
				}
				tracks[key].track = tr
				byID[tr.ID] = tracks[key]
			}
			if x := byID[ev.Unit.Track]; ev.Kind == stream.EventUnit && x != nil {
				x.units = append(x.units, ev.Unit)
			}
			if enough(tracks, ev) {
				return tracks
			}
		}
	}
}

// until wants each of these tracks to have come to a time in the show.
func until(seconds float64, keys ...string) func(map[string]*heard, stream.Event) bool {
	return func(tracks map[string]*heard, _ stream.Event) bool {
		for _, k := range keys {
			if tracks[k].end() < seconds {
				return false
			}
		}
		return true
	}
}

// status waits until the job of a role is as it should be.
func (h *house) status(t *testing.T, name, role string, as func(Status) bool) Status {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		list := h.studio.Status(name)
		for _, st := range list {
			if st.Role == role && as(st) {
				return st
			}
		}
		if time.Now().After(end) {
			t.Fatalf("status: %+v", list)
		}
	}
}
