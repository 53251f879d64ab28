package transcode

import (
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/media/mediatest/record"
	"pushcart/stream"
)

// short is a clip that needs no ffmpeg: a second of small pictures, a keyframe each half.
func short(t *testing.T) clip {
	t.Helper()
	track, units := mediatest.Clip("h264")
	for i := range units {
		units[i].DTS = int64(i) * 3000
		units[i].PTS = units[i].DTS
	}
	track.Timescale = videoTimescale
	return clip{track, units, 30}
}

// status waits until the ladder of the show is as it should be.
func (h *house) status(t *testing.T, name string, as func(Status) bool) Status {
	t.Helper()
	for end := time.Now().Add(4 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		st, _ := h.tr.Status(name)
		if as(st) {
			return st
		}
		if time.Now().After(end) {
			t.Fatalf("status: %+v", st)
		}
	}
}

// rests waits for a rest of the show's ladder after a failure of some kind, and returns what there is of the show in it. On
// a busy machine, others may come before.
func (h *house) rests(t *testing.T, name string, s *stream.Stream, why string) (stream.Status, Status) {
	t.Helper()
	for {
		before := h.status(t, name, func(st Status) bool { return st.State == Resting && strings.Contains(st.Why, why) })
		show := s.Status()
		if after, _ := h.tr.Status(name); after.State == Resting && after.Failures == before.Failures {
			return show, after
		}
	}
}

// process returns the ID of the show's ffmpeg process, zero if it has none.
func (h *house) process(name string) int {
	if r := h.current(name); r != nil {
		return r.PID()
	}
	return 0
}

var lowRung = Rung{ShortSide: 64, BitRate: 60_000}

// TestFailures has ffmpeg fail in ways that it can think of: the show goes on, the state says what has happened.
func TestFailures(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"dies":               "has lost ffmpeg: exit status 3",
		"dies at once":       "has lost ffmpeg: exit status 3",
		"hangs":              "it hangs",
		"moves times":        "has had to stop ffmpeg: 64p: ffmpeg has changed the pictures' times",
		"makes no keyframes": "the encoder makes no keyframes where the host has them",
		"writes nonsense":    "has had to stop ffmpeg: nut: no valid NUT",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, fake(t, kind, lowRung))
			ho := h.publish(t, "a", short(t), 1)
			s := <-h.shows
			st, rest := h.rests(t, "a", s, want)
			for _, words := range []string{want, "; it is tried again in 1s."} {
				if !slices.ContainsFunc(st.Remarks, func(r stream.Remark) bool {
					return strings.HasPrefix(r.Text, "The ladder ") && strings.Contains(r.Text, words)
				}) {
					t.Errorf("%d failures, and no remark has %q: %v", rest.Failures, words, st.Remarks)
				}
			}
			for _, tr := range st.Tracks {
				if tr.Track.Contributed {
					t.Errorf("the track %s is still there", tr.Track.Label)
				}
			}
			if n := len(st.Contributors); n != 0 {
				t.Errorf("%d contributors", n)
			}
			if err := ho.pub.Err(); err != nil {
				t.Errorf("the host: %v", err)
			}
		})
	}
}

// TestRestart has the process killed: the rungs leave, and come back with the IDs that they had.
func TestRestart(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fake(t, "works", lowRung))
	h.publish(t, "a", short(t), 1)
	s := <-h.shows
	first := watch(t, s, all(1, 20))["64p"]
	if err := syscall.Kill(h.process("a"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	left := false
	again := watch(t, s, func(rungs map[string]*rung, ev stream.Event) bool {
		left = left || ev.Kind == stream.EventLeft
		return left && ev.Kind == stream.EventJoined
	})["64p"]
	if again.track.ID != first.track.ID || !again.track.SameConfig(first.track) {
		t.Errorf("the rung came back as another track: %d, %d", first.track.ID, again.track.ID)
	}
	if st := h.status(t, "a", func(st Status) bool { return st.State == Running }); st.Failures < 1 {
		t.Errorf("%d failures", st.Failures)
	}
}

// TestStopped has a real ffmpeg stopped in its tracks (SIGSTOP), and then killed: each time the rungs come back.
func TestStopped(t *testing.T) {
	t.Parallel()
	record.FFmpeg(t)
	c := pictures(t, "320x180", 30, 60, "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "30", "-sc_threshold", "0")
	h := newHouse(t, ladder(Rung{ShortSide: 90, BitRate: 100_000}))
	h.publish(t, "a", c, 1)
	<-h.shows
	for _, sig := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
		before := h.status(t, "a", func(st Status) bool { return st.State == Running }).Failures
		if err := syscall.Kill(h.process("a"), sig); err != nil {
			t.Fatal(err)
		}
		h.status(t, "a", func(st Status) bool { return st.Failures > before && st.State == Running })
	}
}

// TestBudget has more shows than may be transcoded: one waits, and gets its turn when another ends.
func TestBudget(t *testing.T) {
	t.Parallel()
	cfg := fake(t, "works", lowRung)
	cfg.MaxShows = 1
	h := newHouse(t, cfg)
	h.publish(t, "a", short(t), 1)
	h.status(t, "a", func(st Status) bool { return st.State == Running })
	h.publish(t, "b", short(t), 1)
	st := h.status(t, "b", func(st Status) bool { return st.State == Waiting })
	if !strings.Contains(st.Why, "ladder.max_shows") {
		t.Errorf("why: %s", st.Why)
	}
	h.hub.Cut("a")
	h.status(t, "b", func(st Status) bool { return st.State == Running })
}

// TestAwayMakesRoom has a host go who does not come back at once: another show gets its turn, and the first waits for its
// own when the host is back.
func TestAwayMakesRoom(t *testing.T) {
	t.Parallel()
	cfg := fake(t, "works", lowRung)
	cfg.MaxShows = 1
	h := newHouse(t, cfg)
	first := h.publish(t, "a", short(t), 1)
	h.status(t, "a", func(st Status) bool { return st.State == Running })
	h.publish(t, "b", short(t), 1)
	h.status(t, "b", func(st Status) bool { return st.State == Waiting })
	first.stop()
	first.pub.Close(nil)
	h.status(t, "b", func(st Status) bool { return st.State == Running })
	if st, ok := h.tr.Status("a"); !ok {
		t.Log("the machine is too busy: the first show is over meanwhile, for its host has been away for a minute")
	} else if st.State != Idle || st.Why != "the host is away" {
		t.Errorf("the show whose host is away: %+v", st)
	}
	h.publish(t, "a", short(t), 1)
	h.status(t, "a", func(st Status) bool { return st.State == Waiting })
	h.hub.Cut("b")
	h.status(t, "a", func(st Status) bool { return st.State == Running })
}

// TestHopelessMakesRoom has a show of which ffmpeg can make nothing: while it rests, another gets its turn.
func TestHopelessMakesRoom(t *testing.T) {
	t.Parallel()
	cfg := fake(t, "dies at once", lowRung)
	cfg.MaxShows = 1
	h := newHouse(t, cfg)
	h.publish(t, "a", short(t), 1)
	h.status(t, "a", func(st Status) bool { return st.Failures > 0 })
	h.publish(t, "b", short(t), 1)
	h.status(t, "b", func(st Status) bool { return st.Failures > 0 }) // there is one turn, and the other has had it
	if st, _ := h.tr.Status("a"); st.State != Resting || st.Failures != failuresToDrop {
		t.Errorf("the show that rests: %+v", st)
	}
}

// TestEpochs has the host go and come back, and change its configuration: rungs end with each epoch and are there
// in the next.
func TestEpochs(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fake(t, "works", lowRung))
	c := short(t)
	ho := h.publish(t, "a", c, 1)
	s := <-h.shows
	watch(t, s, all(1, 10))
	ho.stop()
	ho.pub.Close(nil)
	h.status(t, "a", func(st Status) bool { return st.State == Idle && h.process("a") == 0 })
	p, err := h.hub.Publish("a", stream.Source{Protocol: "test"})
	if err != nil {
		t.Fatal(err)
	}
	back := &host{pub: p, sent: make(map[int64]bool), next: ho.next + 45 - ho.next%15}
	back.begin(t, c)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 90 {
			back.write(c)
			time.Sleep(10 * time.Millisecond)
		}
	}()
	r := watch(t, s, all(1, 20))["64p"]
	<-done
	r.compare(t, back, 3000)
}

// TestNoFFmpeg: shows go on, and it is said once why there is no ladder.
func TestNoFFmpeg(t *testing.T) {
	missing := ladder(lowRung)
	missing.FFmpeg = "/nonexistent/ffmpeg"
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"missing":    {missing, "/nonexistent/ffmpeg can't be run"},
		"old":        {fake(t, "is old", lowRung), "is version 4.4.2-fake: install 5.1 or a later one"},
		"no encoder": {fake(t, "works", Rung{ShortSide: 64, BitRate: 60_000, Encoder: "libx265"}), "ffmpeg has no encoder libx265"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, c.cfg)
			h.publish(t, "a", short(t), 1)
			s := <-h.shows
			st := h.status(t, "a", func(st Status) bool { return st.State == Off })
			if !strings.Contains(st.Why, c.want) {
				t.Errorf("why: %s", st.Why)
			}
			if r := s.Status().Remarks; len(r) != 1 || !strings.Contains(r[0].Text, c.want) {
				t.Errorf("remarks: %v", r)
			}
		})
	}
}

// TestNothingToDo: a show without pictures, and one whose pictures are small already.
func TestNothingToDo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fake(t, "works", Rung{ShortSide: 1080, BitRate: 4_000_000}))
	h.publish(t, "a", short(t), 1)
	st := h.status(t, "a", func(st Status) bool { return st.State == Off })
	if !strings.Contains(st.Why, "larger than the host's 160x96") {
		t.Errorf("why: %s", st.Why)
	}
	p, err := h.hub.Publish("b", stream.Source{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Begin([]media.Track{mediatest.Audio{}.Track()}); err != nil {
		t.Fatal(err)
	}
	h.status(t, "b", func(st Status) bool { return st.State == Off && st.Why == "there are no pictures" })
}

// TestDroppedOfNothing has a host come back, whose ladder has dropped a rung meanwhile, with pictures that no rung can be made
// of.
func TestDroppedOfNothing(t *testing.T) {
	hub := stream.NewHub(stream.Config{}, slog.New(slog.DiscardHandler), nil)
	p, err := hub.Publish("a", stream.Source{})
	if err != nil {
		t.Fatal(err)
	}
	tracks := []media.Track{short(t).track}
	sh := newShow(New(Config{}, hub, slog.New(slog.DiscardHandler)), p.Stream(), []Rung{lowRung, {ShortSide: 90, BitRate: 100_000}})
	sh.policy.dropped = 1
	if n := len(sh.source(tracks, 1).targets); n != 1 {
		t.Errorf("%d rungs of two without the top one", n)
	}
	sh.rungs = []Rung{{ShortSide: 1080, BitRate: 4_000_000}}
	if n := len(sh.source(tracks, 2).targets); n != 0 {
		t.Errorf("%d rungs of pictures that are smaller than all", n)
	}
}

// TestSent has somebody push the rung on a connection of its own: ffmpeg need not make it, until they go.
func TestSent(t *testing.T) {
	t.Parallel()
	record.FFmpeg(t)
	own := pictures(t, "106x64", 30, 30, "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "15")
	h := newHouse(t, fake(t, "works", lowRung))
	h.publish(t, "a", short(t), 1)
	h.status(t, "a", func(st Status) bool { return st.State == Running })
	p, err := h.hub.Join("a", stream.Contribution{Role: "64p"}, stream.Source{Protocol: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Begin([]media.Track{own.track}); err != nil {
		t.Fatal(err)
	}
	st := h.status(t, "a", func(st Status) bool { return st.State == Off })
	if st.Why != "the host sends its rungs itself" || h.process("a") != 0 {
		t.Errorf("status: %+v", st)
	}
	p.Close(nil)
	h.status(t, "a", func(st Status) bool { return st.State == Running })
}
