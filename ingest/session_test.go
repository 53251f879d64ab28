package ingest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// show is a hub with one show, and what has been read of it.
type show struct {
	t      *testing.T
	hub    *stream.Hub
	reader *stream.Reader
	events []stream.Event
}

func newShow(t *testing.T) *show {
	return &show{t: t, hub: stream.NewHub(stream.Config{}, slog.New(slog.DiscardHandler), nil)}
}

func (s *show) session() *Session {
	s.t.Helper()
	pub, err := s.hub.Publish("a", stream.Source{Protocol: "test"})
	if err != nil {
		s.t.Fatal(err)
	}
	if s.reader == nil {
		s.reader = pub.Stream().NewReader()
	}
	return newSession(pub)
}

// read takes what has been published since.
func (s *show) read() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	cancel()
	for {
		events, err := s.reader.Next(ctx)
		if err != nil {
			if !errors.Is(err, context.Canceled) && !errors.Is(err, stream.ErrClosed) {
				s.t.Fatal(err)
			}
			return
		}
		s.events = append(s.events, events...)
	}
}

// units returns what has been published of a track.
func (s *show) units(id int) []media.AccessUnit {
	s.read()
	var all []media.AccessUnit
	for _, ev := range s.events {
		if ev.Kind == stream.EventUnit && ev.Unit.Track == id {
			all = append(all, ev.Unit)
		}
	}
	return all
}

// epochs counts the epochs so far.
func (s *show) epochs() int {
	s.read()
	n := 0
	for _, ev := range s.events {
		if ev.Kind == stream.EventTracks {
			n++
		}
	}
	return n
}

func (s *show) repairs() map[string]int64 {
	st, ok := s.hub.Stream("a")
	if !ok {
		s.t.Fatal("the show is over")
	}
	return st.Status().Repairs
}

// play writes units in the times of their DTS, in milliseconds as RTMP has them.
func play(t *testing.T, s *Session, units []media.AccessUnit) {
	t.Helper()
	begin, first := time.Now(), units[0].DTS
	for _, au := range units {
		due := begin.Add(time.Duration(au.DTS-first) * time.Millisecond)
		if wait := time.Until(due); wait > 0 && wait < time.Minute {
			time.Sleep(wait)
		}
		if err := s.Write(au); err != nil {
			t.Fatal(err)
		}
	}
}

var (
	video = mediatest.Video{Timescale: 1000}
	audio = mediatest.Audio{Timescale: 1000}
)

// rtmp returns a host's session with both tracks, and n seconds of units.
func rtmp(t *testing.T, s *Session, seconds int) []media.AccessUnit {
	t.Helper()
	for _, track := range []media.Track{video.Track(), audio.Track()} {
		if err := s.SetTrack(track); err != nil {
			t.Fatal(err)
		}
	}
	return mediatest.Interleave([]media.Track{video.Track(), audio.Track()}, video.Units(30*seconds), audio.Units(48000*seconds/1024))
}

// steps checks that DTS goes up by step ticks from unit to unit, but for the given number of exceptions.
func steps(t *testing.T, what string, units []media.AccessUnit, step int64, exceptions int) {
	t.Helper()
	odd := 0
	for i := 1; i < len(units); i++ {
		d := units[i].DTS - units[i-1].DTS
		if d <= 0 {
			t.Fatalf("%s: unit %d has DTS %d behind %d", what, i, units[i].DTS, units[i-1].DTS)
		}
		if d != step {
			odd++
		}
	}
	if odd > exceptions {
		t.Errorf("%s: %d of %d steps are not %d ticks, %d may be so", what, odd, len(units)-1, step, exceptions)
	}
}

func TestRegular(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		play(t, s, rtmp(t, s, 20))
		v, a := sh.units(1), sh.units(2)
		if len(v) != 600 || len(a) < 935 {
			t.Fatalf("%d pictures, %d audio units", len(v), len(a))
		}
		steps(t, "video", v, 3000, 0)
		steps(t, "audio", a, 1024, 0)
		if r := sh.repairs(); len(r) != 0 {
			t.Errorf("repairs: %v", r)
		}
		if first := media.Duration(v[0].DTS, 90000); first < time.Second || first > time.Second+50*time.Millisecond {
			t.Errorf("the show begins at %v, want 1 s", first)
		}
	})
}

// TestBFrames checks that composition times survive the restoration of a constant rate.
func TestBFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		b := mediatest.Video{Timescale: 1000, BFrames: 2, RateNum: 30000, RateDen: 1001}
		s.Expect(true, false)
		if err := s.SetTrack(b.Track()); err != nil {
			t.Fatal(err)
		}
		play(t, s, b.Units(600))
		v := sh.units(1)
		steps(t, "video", v, 3003, 1)
		exact := b
		exact.Timescale = 90000
		for i, au := range v {
			want := exact.Unit(i)
			if got := au.PTS - au.DTS; got != want.PTS-want.DTS {
				t.Fatalf("unit %d: PTS is %d ticks behind DTS, want %d", i, got, want.PTS-want.DTS)
			}
		}
	})
}

// TestJumps lets the encoder's clock jump, for both tracks at nearly the same time.
func TestJumps(t *testing.T) {
	for _, tt := range []struct {
		name string
		jump int64 // ms
	}{
		{"forwards", 100_000}, {"far forwards", 1 << 40}, {"a little back", -300}, {"backwards", -9000}, {"to zero", -10_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sh := newShow(t)
				s := sh.session()
				units := rtmp(t, s, 20)
				begin := time.Now()
				for i, au := range units {
					time.Sleep(time.Until(begin.Add(time.Duration(au.DTS) * time.Millisecond)))
					// Audio jumps some units later than video.
					if i >= 800 || i >= 790 && au.Track == 1 {
						au.DTS += tt.jump
						au.PTS += tt.jump
					}
					if err := s.Write(au); err != nil {
						t.Fatal(err)
					}
				}
				v, a := sh.units(1), sh.units(2)
				if len(v) != 600 {
					t.Errorf("%d of 600 pictures", len(v))
				}
				steps(t, "video", v, 3000, 4)
				steps(t, "audio", a, 1024, 0)
				if end := media.Duration(v[599].DTS-v[0].DTS, 90000); (end - 599*time.Second/30).Abs() > 150*time.Millisecond {
					t.Errorf("the show lasts %v, want 20 s", end)
				}
				if n := sh.repairs()[repairJump]; n != 1 {
					t.Errorf("%d jumps counted, want 1: %v", n, sh.repairs())
				}
				if sh.epochs() != 1 {
					t.Errorf("%d epochs", sh.epochs())
				}
			})
		})
	}
}

// TestOddUnits has single units with nonsense for a time.
func TestOddUnits(t *testing.T) {
	for _, odd := range []int64{0, -5000, 1 << 31, 1 << 60, -1 << 60, 7_000_000} {
		synctest.Test(t, func(t *testing.T) {
			sh := newShow(t)
			s := sh.session()
			units := rtmp(t, s, 10)
			begin := time.Now()
			for i, au := range units {
				time.Sleep(time.Until(begin.Add(time.Duration(au.DTS) * time.Millisecond)))
				if i%100 == 50 {
					au.DTS, au.PTS = odd, odd
				}
				if err := s.Write(au); err != nil {
					t.Fatal(err)
				}
			}
			v, a := sh.units(1), sh.units(2)
			if len(v) < 300 || len(a) < 460 {
				t.Errorf("time %d: %d pictures, %d audio units", odd, len(v), len(a))
			}
			steps(t, "video", v, 3000, 40)
			steps(t, "audio", a, 1024, 0)
			if end := media.Duration(v[len(v)-1].DTS-v[0].DTS, 90000); (end - 10*time.Second).Abs() > 400*time.Millisecond {
				t.Errorf("time %d: the show lasts %v, want 10 s", odd, end)
			}
		})
	}
}

// TestAudioLate starts audio three seconds after video: until then there is silence.
func TestAudioLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		units := slices.DeleteFunc(rtmp(t, s, 10), func(au media.AccessUnit) bool { return au.Track == 2 && au.DTS < 3000 })
		play(t, s, units)
		a, v := sh.units(2), sh.units(1)
		steps(t, "audio", a, 1024, 1) // where sound begins, to the sample
		if d := media.Duration(a[0].DTS, 48000) - media.Duration(v[0].DTS, 90000); d.Abs() > 25*time.Millisecond {
			t.Errorf("audio begins %v after video", d)
		}
		i := slices.IndexFunc(a, func(au media.AccessUnit) bool { return mediatest.Index(au.Data) >= 0 })
		want := media.Duration(v[90].PTS, 90000)
		if got := media.Duration(a[i].PTS, 48000); (got - want).Abs() > 25*time.Millisecond {
			t.Errorf("sound begins at %v, want %v", got, want)
		}
	})
}

// TestAudioDrifts has an audio clock that is 0.5 % slow, then one that is 0.5 % fast.
func TestAudioDrifts(t *testing.T) {
	for _, per := range []int64{995, 1005} {
		synctest.Test(t, func(t *testing.T) {
			sh := newShow(t)
			s := sh.session()
			units := rtmp(t, s, 60)
			for i := range units {
				if units[i].Track == 2 {
					units[i].DTS = units[i].DTS * per / 1000
					units[i].PTS = units[i].DTS
				}
			}
			slices.SortStableFunc(units, func(a, b media.AccessUnit) int { return int(a.DTS - b.DTS) })
			play(t, s, units)
			for _, au := range sh.units(2) {
				n := mediatest.Index(au.Data)
				if n < 0 {
					continue
				}
				want := time.Duration(audio.Unit(n).DTS*per/1000)*time.Millisecond + time.Second
				if got := media.Duration(au.DTS, 48000); (got - want).Abs() > 45*time.Millisecond {
					t.Fatalf("rate %d: audio unit %d is at %v, want %v", per, n, got, want)
				}
			}
			r := sh.repairs()
			if r[repairFilled]+r[repairDropped] < 8 {
				t.Errorf("rate %d: repairs: %v", per, r)
			}
		})
	}
}

// TestAbsence stalls for ten seconds without closing the connection; the encoder's clock goes on.
func TestAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		units := slices.DeleteFunc(rtmp(t, s, 30), func(au media.AccessUnit) bool { return au.DTS > 10_500 && au.DTS < 20_500 })
		play(t, s, units)
		if sh.epochs() != 2 {
			t.Fatalf("%d epochs, want 2", sh.epochs())
		}
		i := slices.IndexFunc(sh.events[1:], func(ev stream.Event) bool { return ev.Kind == stream.EventTracks }) + 1
		for _, ev := range sh.events[i+1:] {
			if ev.Unit.Track == 1 {
				if !ev.Unit.RandomAccess {
					t.Error("the epoch does not begin with a keyframe")
				}
				if got := media.Duration(ev.Unit.DTS, 90000); (got - 23*time.Second).Abs() > 50*time.Millisecond {
					t.Errorf("it begins at %v, want 23 s", got)
				}
				break
			}
		}
	})
}

// TestBurst holds the units of five seconds back on the wire: their times are right, so nothing is repaired.
func TestBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		begin := time.Now()
		for _, au := range rtmp(t, s, 20) {
			due := au.DTS
			if due > 5000 && due < 10_000 {
				due = 10_000
			}
			time.Sleep(time.Until(begin.Add(time.Duration(due) * time.Millisecond)))
			if err := s.Write(au); err != nil {
				t.Fatal(err)
			}
		}
		steps(t, "video", sh.units(1), 3000, 0)
		if len(sh.units(1)) != 600 || sh.epochs() != 1 || len(sh.repairs()) != 0 {
			t.Errorf("%d pictures, %d epochs, repairs %v", len(sh.units(1)), sh.epochs(), sh.repairs())
		}
	})
}

// TestReturn has a host come back after 20 s, with a clock that starts at zero again.
func TestReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		play(t, s, rtmp(t, s, 5))
		s.Close(errors.New("connection reset by peer"))
		time.Sleep(20 * time.Second)
		s = sh.session()
		play(t, s, rtmp(t, s, 5))
		v := sh.units(1)
		if d := media.Duration(v[150].DTS-v[0].DTS, 90000); (d - 25*time.Second).Abs() > 100*time.Millisecond {
			t.Errorf("the show goes on %v after it began, want 25 s", d)
		}
		if sh.epochs() != 2 {
			t.Errorf("%d epochs", sh.epochs())
		}
		st, _ := sh.hub.Stream("a")
		if got := st.Status(); got.State != stream.Live || got.Sessions != 2 {
			t.Errorf("status: %+v", got)
		}
		s.Close(nil)
		time.Sleep(time.Minute + time.Second)
		if _, ok := sh.hub.Stream("a"); ok {
			t.Error("the show is still on after the reconnect window")
		}
		sh.read()
		if last := sh.events[len(sh.events)-1]; last.Kind != stream.EventEnded {
			t.Errorf("the last event is %v", last.Kind)
		}
	})
}

// TestReturnWithoutSound goes on with silence.
func TestReturnWithoutSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		play(t, s, rtmp(t, s, 5))
		s.Close(nil)
		time.Sleep(time.Second)
		before := len(sh.units(2))
		s = sh.session()
		s.Expect(true, false)
		if err := s.SetTrack(video.Track()); err != nil {
			t.Fatal(err)
		}
		play(t, s, video.Units(300))
		a := sh.units(2)[before:]
		if len(a) < 450 {
			t.Errorf("%d units of silence in 10 s", len(a))
		}
		steps(t, "audio", a, 1024, 0)
	})
}

// TestTakeover publishes again while the old connection is still there.
func TestTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		old := sh.session()
		play(t, old, rtmp(t, old, 5))
		s := sh.session()
		select {
		case <-old.Done():
		default:
			t.Fatal("the old session has not been told")
		}
		if !errors.Is(old.Err(), stream.ErrTakenOver) {
			t.Errorf("it has been told %v", old.Err())
		}
		if err := old.Write(video.Unit(300)); err == nil {
			t.Error("the old session may still write")
		}
		old.Close(errors.New("late"))
		play(t, s, rtmp(t, s, 5))
		if st, _ := sh.hub.Stream("a"); st.Status().State != stream.Live {
			t.Errorf("the show is %v", st.Status().State)
		}
	})
}

// TestConfigChange changes the video configuration in the middle: one new epoch, at a keyframe.
func TestConfigChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		units := rtmp(t, s, 10)
		other, _ := mediatest.Clip("h264b")
		other.ID, other.Timescale = 1, 1000
		begin := time.Now()
		for _, au := range units {
			if au.DTS == 5033 && au.Track == 1 { // in the middle of a GOP
				for range 3 {
					if err := s.SetTrack(other); err != nil {
						t.Fatal(err)
					}
				}
			}
			time.Sleep(time.Until(begin.Add(time.Duration(au.DTS) * time.Millisecond)))
			if err := s.Write(au); err != nil {
				t.Fatal(err)
			}
		}
		if sh.epochs() != 2 {
			t.Fatalf("%d epochs, want 2", sh.epochs())
		}
		if got := len(sh.units(1)); got != 300-29 {
			t.Errorf("%d pictures, want all but the 29 that the new configuration can't decode", got)
		}
		steps(t, "audio", sh.units(2), 1024, 2)
	})
}

// TestNoKeyframe starts in the middle of a GOP.
func TestNoKeyframe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		play(t, s, rtmp(t, s, 10)[60:])
		v := sh.units(1)
		if len(v) != 240 || !v[0].RandomAccess {
			t.Errorf("%d pictures, want the 240 from the second keyframe on", len(v))
		}
	})
}

// TestLateAudioTrack announces audio five seconds into the show.
func TestLateAudioTrack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		if err := s.SetTrack(video.Track()); err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			if i == 150 {
				if err := s.SetTrack(audio.Track()); err != nil {
					t.Fatal(err)
				}
			}
			play(t, s, []media.AccessUnit{video.Unit(i)})
			if i >= 150 {
				a := audio.Unit(i * 3 / 2)
				a.DTS, a.PTS = video.Unit(i).DTS, video.Unit(i).DTS
				play(t, s, []media.AccessUnit{a})
			}
			time.Sleep(time.Second / 30)
		}
		if len(sh.units(1)) != 300 {
			t.Errorf("%d of 300 pictures", len(sh.units(1)))
		}
		if sh.epochs() != 2 {
			t.Errorf("%d epochs, want 2", sh.epochs())
		}
		if len(sh.units(2)) == 0 {
			t.Error("no audio")
		}
	})
}

// TestDataTrack carries data from the start and with the show's times.
func TestDataTrack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		track, _ := mediatest.Data(3, 0, nil)
		if err := s.SetTrack(track); err != nil {
			t.Fatal(err)
		}
		units := rtmp(t, s, 10)
		_, data := mediatest.Data(3, 4000, []byte("cue"))
		i := slices.IndexFunc(units, func(au media.AccessUnit) bool { return au.DTS >= 4000 })
		play(t, s, slices.Insert(units, i, data))
		d, v := sh.units(dataTrack.ID), sh.units(1)
		if len(d) != 1 || string(d[0].Data) != "cue" {
			t.Fatalf("data units: %v", d)
		}
		if got, want := media.Duration(d[0].PTS, 1000), media.Duration(v[120].PTS, 90000); (got - want).Abs() > time.Millisecond {
			t.Errorf("the data unit is at %v, want %v", got, want)
		}
		if sh.epochs() != 1 {
			t.Errorf("%d epochs", sh.epochs())
		}
	})
}

// TestPauses takes units away, of one track or of all, while the encoder's clock goes on: what comes
// afterwards keeps its place, and nothing is taken for a jump.
func TestPauses(t *testing.T) {
	for _, tt := range []struct {
		name     string
		track    int // zero: all
		from, to int64
		epochs   int
	}{
		{"video 5 s", 1, 10_000, 15_990, 1},
		{"video 2.5 s", 1, 10_000, 12_520, 1},
		{"audio 5 s", 2, 10_000, 15_000, 1},
		{"audio 2.5 s", 2, 10_000, 12_500, 1},
		{"both 10 s, then a keyframe", 0, 10_100, 19_999, 2},
		{"both 10 s, then something else", 0, 10_100, 20_500, 2},
		{"both 2.5 s", 0, 10_100, 12_600, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sh := newShow(t)
				s := sh.session()
				play(t, s, slices.DeleteFunc(rtmp(t, s, 40), func(au media.AccessUnit) bool {
					return (tt.track == 0 || au.Track == tt.track) && au.DTS > tt.from && au.DTS < tt.to
				}))
				for _, au := range slices.Concat(sh.units(1), sh.units(2)) {
					n := mediatest.Index(au.Data)
					if n < 0 {
						continue // silence
					}
					encoder, scale := video.Unit(n).DTS, int64(90000)
					if au.Track == 2 {
						encoder, scale = audio.Unit(n).DTS, 48000
					}
					want := time.Duration(encoder)*time.Millisecond + time.Second
					if got := media.Duration(au.DTS, scale); (got - want).Abs() > 30*time.Millisecond {
						t.Fatalf("unit %d of track %d is at %v, want %v", n, au.Track, got, want)
					}
				}
				if got := len(sh.units(2)); got < 1300 {
					t.Errorf("%d audio units in 40 s", got)
				}
				if r := sh.repairs(); r[repairJump] != 0 || r[repairDropped] != 0 {
					t.Errorf("repairs: %v", r)
				}
				if sh.epochs() != tt.epochs {
					t.Errorf("%d epochs, want %d", sh.epochs(), tt.epochs)
				}
			})
		})
	}
}

// TestRareData has data units that are further apart than audio and video ever are.
func TestRareData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		track, _ := mediatest.Data(3, 0, nil)
		if err := s.SetTrack(track); err != nil {
			t.Fatal(err)
		}
		units := rtmp(t, s, 40)
		times := []int64{4000, 10_000, 10_500, 30_000, 38_000}
		for _, at := range times {
			_, data := mediatest.Data(3, at, []byte("cue"))
			units = slices.Insert(units, slices.IndexFunc(units, func(au media.AccessUnit) bool { return au.DTS >= at }), data)
		}
		play(t, s, units)
		for i, d := range sh.units(dataTrack.ID) {
			if d.PTS != times[i]+1000 {
				t.Errorf("data unit %d is at %d ms, want %d", i, d.PTS, times[i]+1000)
			}
		}
		if r := sh.repairs(); len(r) != 0 {
			t.Errorf("repairs: %v", r)
		}
	})
}

// TestKeyframeLate has no keyframe for 13 s: the show starts with sound, and the picture joins.
func TestKeyframeLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		units := rtmp(t, s, 30)
		for i := range units {
			units[i].RandomAccess = units[i].RandomAccess && (units[i].Track == 2 || units[i].DTS > 13_000)
		}
		play(t, s, units)
		if got := len(sh.units(1)); got != 16*30 {
			t.Errorf("%d pictures, want the 480 from the first keyframe on", got)
		}
		if sh.epochs() != 2 {
			t.Errorf("%d epochs, want one with sound and one with both", sh.epochs())
		}
	})
}

// TestAudioOnlyReturn interrupts a show of sound: it begins and goes on without made-up silence, and in
// order.
func TestAudioOnlyReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		for range 2 {
			s := sh.session()
			s.Expect(false, true)
			if err := s.SetTrack(audio.Track()); err != nil {
				t.Fatal(err)
			}
			play(t, s, audio.Units(140))
			s.Close(nil)
			time.Sleep(time.Second)
		}
		a := sh.units(2)
		for i := 1; i < len(a); i++ {
			if a[i].DTS <= a[i-1].DTS {
				t.Fatalf("unit %d has DTS %d behind %d", i, a[i].DTS, a[i-1].DTS)
			}
		}
		if len(a) != 280 || len(sh.repairs()) != 0 {
			t.Errorf("%d units of 280, repairs %v", len(a), sh.repairs())
		}
	})
}

// TestArrivalDates checks that a session's wait for more tracks does not move the show in time.
func TestArrivalDates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		if err := s.SetTrack(video.Track()); err != nil { // nothing is promised: there may be audio to come
			t.Fatal(err)
		}
		begin := time.Now()
		play(t, s, video.Units(90))
		st, _ := sh.hub.Stream("a")
		if got, want := media.Duration(sh.units(1)[0].DTS, 90000), begin.Sub(st.Start()); (got - want).Abs() > time.Millisecond {
			t.Errorf("the first picture is dated %v into the show, it came at %v", got, want)
		}
	})
}
