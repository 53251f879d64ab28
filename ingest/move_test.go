package ingest

import (
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
)

// TestMove has a door learn after some seconds that the sound is where it should not be. The session takes that
// for no jump of the clock: from there on sound is where the door says, and stays there.
func TestMove(t *testing.T) {
	const after = 300 // units of sound
	for _, by := range []time.Duration{-600 * time.Millisecond, -120 * time.Millisecond, 120 * time.Millisecond, 600 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			sh := newShow(t)
			s := sh.session()
			n := 0
			units := rtmp(t, s, 30)
			for i := range units {
				au := &units[i]
				if au.Track != 2 {
					continue
				}
				if n++; n == after {
					play(t, s, units[:i])
					s.Move(2, by)
					units = units[i:]
					break
				}
			}
			for i := range units {
				if au := &units[i]; au.Track == 2 {
					au.DTS += by.Milliseconds()
					au.PTS = au.DTS
				}
			}
			play(t, s, units)
			a := sh.units(2)
			steps(t, "audio", a, 1024, 1)
			checked := 0
			for _, au := range a {
				heard := mediatest.Index(au.Data)
				if heard < after+50 {
					continue
				}
				checked++
				want := media.Duration(audio.Unit(heard).DTS, 1000) + time.Second + by
				if got := media.Duration(au.DTS, 48000); (got - want).Abs() > 25*time.Millisecond {
					t.Fatalf("moved by %v: unit %d is heard at %v, want %v", by, heard, got, want)
				}
			}
			if r := sh.repairs(); checked < 900 || r[repairJump] > 0 || r[repairFilled]+r[repairDropped] > 2*int64(by.Abs()/(20*time.Millisecond)) {
				t.Errorf("moved by %v: %d units looked at, repairs %v", by, checked, r)
			}
		})
	}
}

// TestMoveGathered does so before the session has begun: all of the sound is where it should be.
func TestMoveGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		s.ExpectTracks(2, 1) // so that it waits
		units := rtmp(t, s, 5)
		s.ExpectTracks(2, 1)
		const by = -400 * time.Millisecond
		play(t, s, units[:20])
		s.Move(2, by)
		for i := 20; i < len(units); i++ {
			if units[i].Track == 2 {
				units[i].DTS += by.Milliseconds()
				units[i].PTS = units[i].DTS
			}
		}
		play(t, s, units[20:])
		a := sh.units(2)
		steps(t, "audio", a, 1024, 1)
		for _, au := range a {
			if heard := mediatest.Index(au.Data); heard >= 0 {
				want := media.Duration(audio.Unit(heard).DTS, 1000) + time.Second + by
				if got := media.Duration(au.DTS, 48000); (got - want).Abs() > 25*time.Millisecond {
					t.Fatalf("unit %d is heard at %v, want %v", heard, got, want)
				}
			}
		}
		if r := sh.repairs(); r[repairJump] > 0 || r[repairFilled] > 0 {
			t.Errorf("repairs %v", r)
		}
	})
}
