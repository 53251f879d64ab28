//go:build linux

package sound

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/stream"
	"pushcart/transcode/transcodetest"
)

// live writes units of a host's, and some of others', as time goes by, until the test is over or stop is called.
func live(t *testing.T, from float64, pubs map[*stream.Publisher]pcm) (stop func() float64) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	at := from
	go func() {
		defer close(done)
		const step = 0.1
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			for p, in := range pubs {
				for _, au := range in.units(at, at+step) {
					_ = p.Write(au) // the show may be over: then nobody looks any more
				}
			}
			at += step
			<-tick.C
		}
	}()
	stop = func() float64 { cancel(); <-done; return at }
	t.Cleanup(func() { stop() })
	return stop
}

func silence() pcm { return newPCM(media.CodecPCMA, 8000, func(float64) float64 { return 0 }) }

// process returns the ID of a job's process, zero if it has none.
func (h *house) process(name, role string) int {
	h.studio.mu.Lock()
	sh := h.studio.byName[name]
	h.studio.mu.Unlock()
	if sh == nil {
		return 0
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, j := range sh.jobs {
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.role == role && j.current != nil {
			return j.current.PID()
		}
	}
	return 0
}

// TestFailures has ffmpeg fail in ways that it can think of: the show goes on, and state and remark say what has happened.
func TestFailures(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"dies":            "has lost ffmpeg: exit status 3",
		"dies at once":    "has lost ffmpeg: exit status 3",
		"hangs":           "it hangs",
		"moves times":     "has had to stop ffmpeg: ffmpeg has changed the times of the sound",
		"writes nonsense": "has had to stop ffmpeg: nut: no valid NUT",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, Options{Convert: true, FFmpeg: transcodetest.Fake(t, kind)})
			in := silence()
			host, s := h.host(t, "a", in.track)
			live(t, 1, map[*stream.Publisher]pcm{host: in})
			remarked(t, s, "The conversion of the host's sound to AAC ", "; it is tried again in 1s.")
			remarked(t, s, "The conversion of the host's sound to AAC ", want) // on a busy machine, it may not be the first
			h.status(t, "a", Role, func(st Status) bool { return st.Failures > 0 })
			if err := host.Err(); err != nil {
				t.Errorf("the host: %v", err)
			}
		})
	}
}

// TestKilled has the process killed: its sound leaves, and comes back with the ID that it had, at the right time.
func TestKilled(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Options{Convert: true, FFmpeg: transcodetest.Fake(t, "works")})
	in := silence()
	host, s := h.host(t, "a", in.track)
	live(t, 1, map[*stream.Publisher]pcm{host: in})
	first := listen(t, s, until(2, ""))[""]
	if err := syscall.Kill(h.process("a", Role), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	left := false
	again := listen(t, s, func(tracks map[string]*heard, ev stream.Event) bool {
		left = left || ev.Kind == stream.EventLeft
		return left && tracks[""] != nil && len(tracks[""].units) > 20
	})[""]
	if again.track.ID != first.track.ID || !again.track.SameConfig(first.track) || again.units[0].DTS%frameSamples != 0 {
		t.Errorf("the sound came back as another track: %+v, %+v", first.track, again.track)
	}
	if st := h.status(t, "a", Role, func(st Status) bool { return st.State == Running }); st.Failures < 1 {
		t.Errorf("%d failures", st.Failures)
	}
}

// TestEpochs has the host go and come back: what is made ends with each epoch and is there in the next, and no process is
// there in between.
func TestEpochs(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Options{Convert: true, FFmpeg: transcodetest.Fake(t, "works")})
	in := silence()
	host, s := h.host(t, "a", in.track)
	stop := live(t, 1, map[*stream.Publisher]pcm{host: in})
	listen(t, s, until(2, ""))
	at := stop()
	host.Close(nil)
	h.status(t, "a", Role, func(st Status) bool { return st.State == Idle && h.process("a", Role) == 0 })
	back, err := h.hub.Publish("a", stream.Source{})
	if err != nil {
		t.Fatal(err)
	}
	// Another configuration: the next epoch begins with tracks that are not those of the last.
	in.track.Timescale = 16000
	if err := back.Begin([]media.Track{picture.Track(), in.track}); err != nil {
		t.Fatal(err)
	}
	live(t, at+3, map[*stream.Publisher]pcm{back: in})
	got := listen(t, s, until(at+4, ""))[""]
	if start := float64(got.units[0].DTS) / 48000; start < at+2.9 {
		t.Errorf("it begins at %.2f, the host came back at %.2f", start, at+3)
	}
	// And in the middle of an epoch.
	if err := back.Begin([]media.Track{picture.Track()}); err != nil {
		t.Fatal(err)
	}
	h.status(t, "a", Role, func(st Status) bool { return st.State == Idle && h.process("a", Role) == 0 })
}

// remarked waits until a remark on the show has these words in it.
func remarked(t *testing.T, s *stream.Stream, words ...string) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		remarks := s.Status().Remarks
		for _, r := range remarks {
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(r.Text, w) }) {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("no remark has %q: %v", words, remarks)
		}
	}
}

// TestCrowded has no room in the show for what is made: the operator is told, and the show goes on.
func TestCrowded(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]string{
		"/nonexistent/ffmpeg":          "The voice in fr is not heard: the show has as many contributors as it may have; it is tried again in 30s.",
		transcodetest.Fake(t, "works"): "The mix of the voice in fr with the show's own sound has had to stop ffmpeg: the show has as many contributors as it may have; it is tried again in 1s.",
	} {
		h := newHouse(t, Options{Ducking: 12, FFmpeg: program})
		in, voice := silence(), silence()
		voice.track.Codec, voice.track.Timescale, voice.track.Config = media.CodecAAC, 48000, fakeConfig
		host, s := h.host(t, "a", in.track)
		p, voice := h.joinVoice(t, "a", "fr", voice)
		for i := 0; ; i++ {
			if _, err := h.hub.Join("a", stream.Contribution{Role: fmt.Sprint(i)}, stream.Source{}); errors.Is(err, stream.ErrCrowded) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		live(t, 1, map[*stream.Publisher]pcm{host: in, p: voice})
		remarked(t, s, want)
		if err := host.Err(); err != nil {
			t.Errorf("the host: %v", err)
		}
	}
}

// TestHopelessMix has an ffmpeg that can make no mix: after some failures the voice is offered alone.
func TestHopelessMix(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Options{Ducking: 12, FFmpeg: transcodetest.Fake(t, "dies at once")})
	in, voice := silence(), silence()
	voice.track.Codec, voice.track.Timescale, voice.track.Config = media.CodecAAC, 48000, fakeConfig
	host, s := h.host(t, "a", in.track)
	p, voice := h.joinVoice(t, "a", "fr", voice)
	live(t, 1, map[*stream.Publisher]pcm{host: in, p: voice})
	st := h.status(t, "a", "mix@fr", func(st Status) bool { return st.State == Plain })
	if st.Failures != patientFailures || !strings.Contains(st.Why, "viewers hear the voice alone, and it is tried again in 5m0s") {
		t.Errorf("status: %+v", st)
	}
	got := listen(t, s, func(tracks map[string]*heard, _ stream.Event) bool {
		return tracks["fr"] != nil && len(tracks["fr"].units) > 0
	})["fr"]
	if !got.track.SameConfig(voice.track) {
		t.Errorf("the track: %+v", got.track)
	}
}

// TestNoFFmpeg: the show goes on, and it is said once why nobody hears it and what to do.
func TestNoFFmpeg(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]string{
		"/nonexistent/ffmpeg":               "Nobody hears the host's sound: it is G.711 A-law, which players can't play, and can't be made into AAC: /nonexistent/ffmpeg can't be run",
		transcodetest.Fake(t, "has no AAC"): "ffmpeg has no encoder for AAC. Or set the camera or encoder to AAC.",
		"no-such-ffmpeg-at-all":             "install ffmpeg",
	} {
		h := newHouse(t, Options{Convert: true, FFmpeg: program})
		in := silence()
		_, s := h.host(t, "a", in.track)
		h.status(t, "a", Role, func(st Status) bool { return st.State == Off && st.Why != "" })
		if r := s.Status().Remarks; len(r) != 1 || !strings.Contains(r[0].Text, want) {
			t.Errorf("remarks: %v", r)
		}
	}
}
