package packager

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// TestSleepsThroughAnything plays random shows whose tracks lag behind each other, stall, have holes and change their
// rhythm, with packets of Opus of all lengths: viewers of one that sleeps notice nothing (apply).
func TestSleepsThroughAnything(t *testing.T) {
	const shows = 100
	stood, skipped := 0, 0
	for seed := range uint64(shows) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			p := newShow(t, PresetNames()[random.IntN(len(PresetNames()))])
			start := time.Second
			for range 1 + random.IntN(2) {
				s := &anyShow{Rand: random, start: start, end: start + time.Duration(5+random.IntN(25))*time.Second}
				s.cast()
				s.play(t, p)
				start = s.end + time.Duration(random.IntN(5000))*time.Millisecond
			}
			apply(t, p, stream.Event{Kind: stream.EventEnded})
			stood += p.stats.Stood
			skipped += p.stats.Skipped
		})
	}
	if t.Logf("%d pictures stood in, %d were left out", stood, skipped); stood == 0 || skipped == 0 {
		t.Error("nothing of that has been tried")
	}
}

// anyShow is an epoch of a random show.
type anyShow struct {
	*rand.Rand
	start, end time.Duration
	tracks     []media.Track
	arrivals   []arrival
}

// arrival is a unit, and when it comes.
type arrival struct {
	at time.Duration
	au media.AccessUnit
}

func (s *anyShow) pick(of ...int) int { return of[s.IntN(len(of))] }
func (s *anyShow) ms(n int) time.Duration {
	return time.Duration(s.IntN(n)) * time.Millisecond
}

// cast chooses the tracks.
func (s *anyShow) cast() {
	gop := s.pick(15, 30, 60, 61, 120)
	if s.IntN(5) > 0 {
		s.video(1, gop, false)
	}
	if len(s.tracks) == 0 || s.IntN(4) > 0 {
		s.audio(2, false)
	}
	if s.IntN(3) == 0 {
		s.video(4, s.pick(gop, gop, 2*gop, 50), false)
	}
	if s.IntN(4) == 0 {
		s.audio(5, false)
	}
	if s.IntN(3) == 0 {
		s.video(2001, gop, true)
	}
	for i := range s.IntN(3) {
		s.audio(2100+i, true)
	}
}

// video has pictures at 30 a second, or at a rate that changes, by a clock that is not exact. Those of an encoder can be
// repeated where some are missing.
func (s *anyShow) video(id, gop int, contributed bool) {
	if gop == 15 {
		track, units := loop([]string{"h264", "h264b"}[s.IntN(2)], id, s.start, int((s.end-s.start)/time.Second))
		s.add(track, contributed, units)
		return
	}
	v := mediatest.Video{ID: id, GOP: gop, BFrames: s.IntN(3), Start: media.Ticks(s.start, 90000)}
	track := v.Track()
	if s.IntN(2) == 0 {
		track.FrameRate = 0
	}
	units := v.Units(int((s.end-s.start)/time.Second) * 30)
	if steps := []int{1500, 3000, 3600, 6000, 9000}; s.IntN(2) == 0 {
		at, step := v.Start, s.pick(steps...)
		for i := range units {
			if s.IntN(100) == 0 {
				step = s.pick(steps...)
			}
			units[i].PTS, units[i].DTS = at+units[i].PTS-units[i].DTS, at
			at += int64(step + s.IntN(181) - 90)
		}
	}
	s.add(track, contributed, units)
}

// audio is AAC, or Opus whose packets change their length now and then.
func (s *anyShow) audio(id int, contributed bool) {
	late := time.Duration(0)
	if contributed || s.IntN(3) == 0 {
		late = s.ms(1000)
	}
	if s.IntN(3) == 0 {
		a := mediatest.Audio{ID: id, SampleRate: s.pick(48000, 44100, 22050)}
		a.Start = media.Ticks(s.start+late, int64(a.SampleRate))
		s.add(a.Track(), contributed, a.Units(int(media.Ticks(s.end-s.start, int64(a.SampleRate)))/1024))
		return
	}
	tocs := []int{0xE0, 0xE8, 0xF0, 0xF8, 0x10, 0x18} // 2.5 to 60 ms
	toc := s.pick(tocs...)
	var units []media.AccessUnit
	for at := media.Ticks(s.start+late, 48000); at < media.Ticks(s.end, 48000); {
		if s.IntN(100) == 0 {
			toc = s.pick(tocs...)
		}
		au := media.AccessUnit{Track: id, DTS: at, PTS: at, RandomAccess: true, Data: []byte{byte(toc), 1, 2, 3}}
		units = append(units, au)
		at += media.Ticks(media.OpusDuration(au.Data), 48000)
	}
	s.add(media.Track{ID: id, Codec: media.CodecOpus, Timescale: 48000, Config: []byte{1, 2, 0, 0, 0x80, 0xBB, 0, 0, 0, 0, 0}}, contributed, units)
}

// add has the units of a track arrive, with mishaps.
func (s *anyShow) add(t media.Track, contributed bool, units []media.AccessUnit) {
	t.Contributed = contributed
	s.tracks = append(s.tracks, t)
	lag := s.ms(s.pick(1, 200, 1000, 2500) + 1)
	at, missing := time.Duration(0), 0
	for i, au := range units {
		due := media.Duration(au.DTS, t.Timescale) + lag
		if at = max(at, due); s.IntN(400) == 0 {
			at = max(at, due+s.ms(4000))
		}
		if s.IntN(600) == 0 {
			missing = s.IntN(100)
		}
		if missing > 0 && i > 0 {
			missing--
			continue
		}
		s.arrivals = append(s.arrivals, arrival{at, au})
	}
}

// play applies all of it. The last to contribute leaves now and then, and comes back or not.
func (s *anyShow) play(t *testing.T, p *Packager) {
	slices.SortStableFunc(s.arrivals, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: s.tracks})
	last := s.tracks[len(s.tracks)-1:]
	for _, a := range s.arrivals {
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: a.au})
		if last[0].Contributed && s.IntN(1500) == 0 {
			apply(t, p, stream.Event{Kind: stream.EventLeft, Tracks: last})
			if s.IntN(2) == 0 {
				apply(t, p, stream.Event{Kind: stream.EventJoined, Tracks: last})
			}
		}
	}
	apply(t, p, stream.Event{Kind: stream.EventInterrupted})
}
