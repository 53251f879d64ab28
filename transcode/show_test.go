package transcode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest/record"
	"pushcart/stream"
	"pushcart/transcode/ffmpeg"
	"pushcart/transcode/transcodetest"
)

// house is one with a transcoder.
type house struct {
	hub   *stream.Hub
	tr    *Transcoder
	shows chan *stream.Stream
}

func newHouse(t *testing.T, cfg Config) *house {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	h := transcodetest.Open(t, func(hub *stream.Hub, log *slog.Logger) *Transcoder { return New(cfg, hub, log) })
	return &house{h.Hub, h.Room, h.Shows}
}

// clip is a few seconds of pictures that can be shown again and again.
type clip struct {
	track media.Track
	units []media.AccessUnit
	rate  int64
}

// pictures encodes n pictures of a test card with args behind ffmpeg's input, in ticks of 1/90000 s.
func pictures(t *testing.T, size string, rate, n int, args ...string) clip {
	t.Helper()
	args = append([]string{"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=%s:r=%d", size, rate), "-frames:v", fmt.Sprint(n), "-pix_fmt", "yuv420p"}, args...)
	track, units := record.Track(t, record.MP4(t, args...))
	first := units[0].PTS
	for i := range units {
		units[i].DTS = media.Rescale(units[i].DTS-first, track.Timescale, videoTimescale)
		units[i].PTS = media.Rescale(units[i].PTS-first, track.Timescale, videoTimescale)
	}
	track.Timescale = videoTimescale
	return clip{track, units, int64(rate)}
}

// unit is picture i of the clip in a loop, a second into the show.
func (c clip) unit(i int) media.AccessUnit {
	n := len(c.units)
	au := c.units[i%n]
	shift := videoTimescale + int64(i/n)*int64(n)*videoTimescale/c.rate
	au.DTS += shift
	au.PTS += shift
	return au
}

// host publishes the clip at so many times its speed until stop is called.
type host struct {
	pub  *stream.Publisher
	stop func()
	wait func() bool // nil, or whether to let the others catch up: on a machine that is too busy for the clip's speed

	mu   sync.Mutex
	sent map[int64]bool // presentation times, and whether it is a keyframe
	next int
}

func (h *house) publish(t *testing.T, name string, c clip, speed float64) *host {
	t.Helper()
	return h.publishWhile(t, name, c, speed, nil)
}

// publishForLadder does so no faster than the rungs can be made: nothing has to be left out of them, however busy
// the machine.
func (h *house) publishForLadder(t *testing.T, name string, c clip, speed float64) *host {
	t.Helper()
	return h.publishWhile(t, name, c, speed, func() bool {
		v := h.vitals(name)
		return !v.LastOut.IsZero() && v.Lag > readyLag/2
	})
}

// current is the show's present run, nil if there is none.
func (h *house) current(name string) *run {
	h.tr.mu.Lock()
	sh := h.tr.byName[name]
	h.tr.mu.Unlock()
	if sh == nil {
		return nil
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.current
}

// vitals are those of the show's present run; zero if there is none.
func (h *house) vitals(name string) ffmpeg.Vitals {
	if r := h.current(name); r != nil {
		return r.col.Vitals()
	}
	return ffmpeg.Vitals{}
}

func (h *house) publishWhile(t *testing.T, name string, c clip, speed float64, wait func() bool) *host {
	t.Helper()
	p, err := h.hub.Publish(name, stream.Source{Protocol: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ho := &host{pub: p, wait: wait, sent: make(map[int64]bool)}
	ho.begin(t, c)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Duration(float64(time.Second) / float64(c.rate) / speed))
		defer tick.Stop()
		for ctx.Err() == nil {
			ho.write(c)
			for <-tick.C; ho.wait != nil && ho.wait() && ctx.Err() == nil; <-tick.C {
			}
		}
	}()
	ho.stop = func() { cancel(); <-done }
	t.Cleanup(ho.stop)
	return ho
}

func (ho *host) begin(t *testing.T, c clip) {
	t.Helper()
	if err := ho.pub.Begin([]media.Track{c.track}); err != nil {
		t.Fatal(err)
	}
}

// write sends the next picture. The show may be over: then nobody looks any more.
func (ho *host) write(c clip) {
	ho.mu.Lock()
	au := c.unit(ho.next)
	ho.next++
	ho.sent[au.PTS] = au.RandomAccess
	ho.mu.Unlock()
	_ = ho.pub.Write(au)
}

// rung is what a reader has had of one rung.
type rung struct {
	track media.Track
	units []media.AccessUnit
}

// watch follows the show until enough says so of what has come, by the rungs' labels, and of the last event.
func watch(t *testing.T, s *stream.Stream, enough func(map[string]*rung, stream.Event) bool) map[string]*rung {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	r := s.NewReader()
	defer r.Close()
	rungs := make(map[string]*rung)
	byID := make(map[int]*rung)
	for {
		events, err := r.Next(ctx)
		if errors.Is(err, stream.ErrLagged) {
			continue
		}
		if err != nil {
			t.Fatalf("after %v: %v", describeRungs(rungs), err)
		}
		for _, ev := range events {
			switch ev.Kind {
			case stream.EventTracks, stream.EventJoined:
				for _, tr := range ev.Tracks {
					if !tr.Contributed {
						continue
					}
					if rungs[tr.Label] == nil {
						rungs[tr.Label] = new(rung)
					}
					rungs[tr.Label].track = tr
					byID[tr.ID] = rungs[tr.Label]
				}
			case stream.EventUnit:
				if g := byID[ev.Unit.Track]; g != nil {
					g.units = append(g.units, ev.Unit)
				}
			}
			if enough(rungs, ev) {
				return rungs
			}
		}
	}
}

func describeRungs(rungs map[string]*rung) string {
	text := ""
	for label, r := range rungs {
		text += fmt.Sprintf("%s: %d pictures; ", label, len(r.units))
	}
	return text
}

// all wants n rungs with that many pictures each.
func all(n, pictures int) func(map[string]*rung, stream.Event) bool {
	return func(rungs map[string]*rung, _ stream.Event) bool {
		if len(rungs) < n {
			return false
		}
		for _, r := range rungs {
			if len(r.units) < pictures {
				return false
			}
		}
		return true
	}
}

// compare holds a rung against its source: all times are the source's, and from one to the next it is one of
// periods; keyframes are where the source has them and nowhere else; each unit is what its track says.
func (r *rung) compare(t *testing.T, ho *host, periods ...int64) {
	t.Helper()
	ho.mu.Lock()
	defer ho.mu.Unlock()
	keys := 0
	for i, au := range r.units {
		key, known := ho.sent[au.PTS]
		switch {
		case !known:
			t.Fatalf("%s: picture %d has the time %d, which no picture of the source has", r.track.Label, i, au.PTS)
		case key != au.RandomAccess:
			t.Errorf("%s: the picture at %d is a keyframe: %v; the source's: %v", r.track.Label, au.PTS, au.RandomAccess, key)
		case i == 0 && !key:
			t.Errorf("%s begins without a keyframe", r.track.Label)
		case i > 0 && !slices.Contains(periods, au.PTS-r.units[i-1].PTS):
			t.Errorf("%s: %d comes %d ticks after the one before it", r.track.Label, au.PTS, au.PTS-r.units[i-1].PTS)
		}
		if err := media.ValidUnit(r.track, au.Data); err != nil {
			t.Errorf("%s: picture %d: %v", r.track.Label, i, err)
		}
		if key {
			keys++
		}
	}
	if keys < 2 {
		t.Errorf("%s: %d keyframes in %d pictures", r.track.Label, keys, len(r.units))
	}
}

func (r *rung) format(t *testing.T) media.Format {
	t.Helper()
	f, err := media.ParseConfig(r.track)
	if err != nil {
		t.Fatalf("%s: %v", r.track.Label, err)
	}
	return f
}

// ladder is a configuration for all shows. FFMPEG in the environment is another ffmpeg to try. It stands back as little
// as it can behind the tests that run beside.
func ladder(rungs ...Rung) Config {
	return Config{FFmpeg: os.Getenv("FFMPEG"), Nice: 1, Shows: []Ladder{{Match: "*", Rungs: rungs}}}
}

// TestRungs transcodes a show with B-frames and keyframes at irregular distances into two rungs, one of which has
// half the pictures.
func TestRungs(t *testing.T) {
	record.FFmpeg(t)
	c := pictures(t, "320x180", 30, 120, "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "300",
		"-force_key_frames", "0.4,1.1,1.9,3.3", "-x264-params", "scenecut=0:open-gop=0")
	h := newHouse(t, ladder(
		Rung{ShortSide: 144, BitRate: 200_000},
		Rung{ShortSide: 90, BitRate: 80_000, FrameRate: 15},
		Rung{ShortSide: 720, BitRate: 2_000_000}))
	ho := h.publishForLadder(t, "a", c, 2)
	s := <-h.shows
	rungs := watch(t, s, all(2, 150))
	if len(rungs) != 2 {
		t.Fatalf("%d rungs", len(rungs))
	}
	rungs["144p"].compare(t, ho, 3000)
	rungs["90p15"].compare(t, ho, 6000, 3000) // a keyframe is never left out, wherever it comes
	if n, m := len(rungs["90p15"].units), len(rungs["144p"].units); n > m*6/10 {
		t.Errorf("90p15 has %d pictures, 144p %d", n, m)
	}
	if f := rungs["144p"].format(t); f.Width != 256 || f.Height != 144 {
		t.Errorf("144p is %dx%d", f.Width, f.Height)
	}
	if f := rungs["90p15"].format(t); f.Width != 160 || f.Height != 90 {
		t.Errorf("90p15 is %dx%d", f.Width, f.Height)
	}
	st, ok := h.tr.Status("a")
	if !ok || st.State != Running || len(st.Rungs) != 2 || st.Rungs[0].State != RungOn {
		t.Errorf("status: %+v", st)
	}
}
