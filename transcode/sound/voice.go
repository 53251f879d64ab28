package sound

import (
	"time"

	"pushcart/media"
)

// patience is how far a voice may be behind the host's sound before the mix goes on without it. The packager waits twice
// as long for a contributed track before silence takes its place, the host's sound in it and all.
const patience = 700 * time.Millisecond

// voice keeps an interpreter's units beside the host's in front of ffmpeg, whose mixer waits for the slower of two: units
// of silence take the place of those that are late or have never come. Its times are ticks of the voice's timescale.
type voice struct {
	timescale int64
	silence   []byte // one unit; nil: none is known, and the mixer waits
	length    int64  // of that unit
	begun     bool
	next      int64 // when the next unit is due
}

func newVoice(t media.Track) voice {
	v := voice{timescale: t.Timescale}
	f, err := media.ParseConfig(t)
	if err != nil {
		return v
	}
	v.silence = media.Silence(t, f)
	if v.length = media.UnitSamples(t.Codec, f, v.silence); v.length <= 0 {
		v.silence = nil
	}
	return v
}

// take reports whether a unit is in time, and notes that it is there.
func (v *voice) take(au media.AccessUnit) bool {
	if v.begun && au.DTS < v.next-v.slack() {
		return false
	}
	v.begun, v.next = true, au.DTS+max(v.length, 1)
	return true
}

// slack is how far a unit may overlap with the silence before it: what is cut of it is less than is lost with the
// whole.
func (v *voice) slack() int64 { return v.length / 2 }

// follow calls emit with the silence that is due now that the host's sound has come to the time at.
func (v *voice) follow(at time.Duration, emit func(media.AccessUnit)) {
	due := media.Ticks(at-patience, v.timescale)
	if v.silence == nil {
		return
	}
	if !v.begun {
		// The mix begins with the host's sound, and is late by the patience if nobody speaks.
		v.begun, v.next = true, media.Ticks(at, v.timescale)
	}
	for v.next+v.length <= due {
		emit(media.AccessUnit{DTS: v.next, PTS: v.next, RandomAccess: true, Data: v.silence})
		v.next += v.length
	}
}
