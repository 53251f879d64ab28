//go:build linux

package sound

import (
	"slices"
	"strings"
	"testing"

	"pushcart/media"
	"pushcart/stream"
	"pushcart/transcode/transcodetest"
)

// TestVoices has voices come and go: each has a process of its own, and none disturbs the others, or the host's. That of one
// who leaves goes on for those who listen, and nobody notices when it is back.
func TestVoices(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Options{Convert: true, Ducking: 12, FFmpeg: transcodetest.Fake(t, "works")})
	in := silence()
	host, s := h.host(t, "a", in.track)
	fr, voice := h.joinVoice(t, "a", "fr", silence())
	live(t, 1, map[*stream.Publisher]pcm{host: in, fr: voice})
	listen(t, s, until(2, "", "fr"))
	es, voice := h.joinVoice(t, "a", "es", silence())
	listen(t, s, func(tracks map[string]*heard, _ stream.Event) bool {
		return tracks["es"] != nil && len(tracks["es"].units) > 10 // the host's sound alone: es has not said a word
	})
	roles := []string{Role, "mix@fr", "mix@es"}
	processes := make(map[int]bool)
	for _, role := range roles {
		processes[h.process("a", role)] = true
	}
	if len(processes) != len(roles) || processes[0] {
		t.Errorf("processes %v", processes)
	}
	es.Close(nil)
	away := func(want bool) func(map[string]*heard, stream.Event) bool {
		return func(tracks map[string]*heard, ev stream.Event) bool {
			if ev.Kind == stream.EventLeft && slices.ContainsFunc(ev.Tracks, func(t media.Track) bool { return !t.Internal }) {
				t.Errorf("something has left that is made: %+v", ev.Tracks)
			}
			return tracks["es"] != nil && tracks["es"].track.Away == want && len(tracks["es"].units) > 20
		}
	}
	listen(t, s, away(true))
	h.status(t, "a", "mix@es", func(st Status) bool { return st.State == Running && strings.Contains(st.Why, "the voice is away") })
	h.joinVoice(t, "a", "es", voice)
	listen(t, s, away(false))
	h.status(t, "a", "mix@es", func(st Status) bool { return st.State == Running && st.Why == "" })
	for _, role := range roles {
		if !processes[h.process("a", role)] {
			t.Errorf("%s has been disturbed", role)
		}
	}
	host.Close(nil)
	for _, role := range roles {
		h.status(t, "a", role, func(st Status) bool { return st.State == Idle && h.process("a", role) == 0 })
	}
}

// TestVoiceComesBack before the next keyframe, where nothing is mixed: a reader that begins now is told of its going, too, and
// once is enough.
func TestVoiceComesBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Options{Convert: true, FFmpeg: transcodetest.Fake(t, "works")})
	in := silence()
	host, s := h.host(t, "a", in.track)
	es, voice := h.joinVoice(t, "a", "es", silence())
	live(t, 1, map[*stream.Publisher]pcm{host: in})
	stop := live(t, 1, map[*stream.Publisher]pcm{es: voice})
	listen(t, s, until(2, "", "es"))
	at := stop()
	es.Close(nil)
	h.status(t, "a", "mix@es", func(st Status) bool { return st.State == Idle && h.process("a", "mix@es") == 0 })
	es, voice = h.joinVoice(t, "a", "es", voice)
	live(t, at, map[*stream.Publisher]pcm{es: voice})
	gone := 0
	listen(t, s, func(tracks map[string]*heard, ev stream.Event) bool {
		if ev.Kind == stream.EventLeft && slices.ContainsFunc(ev.Tracks, func(t media.Track) bool { return t.Language == "es" && !t.Internal }) {
			gone++
		}
		return tracks["es"].end() > at+1
	})
	if gone > 1 {
		t.Errorf("the voice has left %d times", gone)
	}
	h.status(t, "a", "mix@es", func(st Status) bool { return st.State == Running })
}

// TestLateVoice: the operator is told of a voice that is left out of the mix.
func TestLateVoice(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Options{Ducking: 12, FFmpeg: transcodetest.Fake(t, "works")})
	in := silence()
	host, s := h.host(t, "a", in.track)
	fr, voice := h.joinVoice(t, "a", "fr", silence())
	for at := 3.0; at < 17; at += 0.5 {
		write(t, host, in.units(at, at+0.5))
		write(t, fr, voice.units(at-2, at-1.5))
	}
	remarked(t, s, "The voice in fr is up to 2.", "most of it is not heard", "interpreters.offset")
}
