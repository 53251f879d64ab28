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
	next      int64         // when the next unit is due
	host      time.Duration // to where the host's sound has come
	late      lateness
}

// lateness counts the units that come too late for the mix, in spans of lateSpan.
type lateness struct {
	units, left int           // in the span, and how many of them were left out
	worst       time.Duration // by which one was behind the host's sound
	told        bool
}

// lateSpan is how many units are looked at together, about: what a voice loses now and then is the line's, what it loses
// all the time is to be told.
const lateSpan = 10 * time.Second

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

// fills reports whether silence takes the place of what is missing.
func (v *voice) fills() bool { return v.silence != nil }

// take reports whether a unit is in time, and notes that it is there.
func (v *voice) take(au media.AccessUnit) bool {
	v.late.units++
	if v.begun && au.DTS < v.next-v.slack() {
		v.late.left++
		v.late.worst = max(v.late.worst, v.host-media.Duration(au.DTS, v.timescale))
		return false
	}
	v.begun, v.next = true, au.DTS+max(v.length, 1)
	return true
}

// tooLate returns how far the voice is behind the host's sound, once when most of it is left out, and zero otherwise.
func (v *voice) tooLate() time.Duration {
	l := &v.late
	if v.length == 0 || media.Duration(int64(l.units)*v.length, v.timescale) < lateSpan {
		return 0
	}
	span := *l
	*l = lateness{told: span.left > span.units/2}
	if span.told || !l.told {
		return 0
	}
	return span.worst
}

// slack is how far a unit may overlap with the silence before it: what is cut of it is less than is lost with the
// whole.
func (v *voice) slack() int64 { return v.length / 2 }

// follow calls emit with the silence that is due now that the host's sound has come to the time at.
func (v *voice) follow(at time.Duration, emit func(media.AccessUnit)) {
	v.host = at
	due := media.Ticks(at-patience, v.timescale)
	if !v.fills() {
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
