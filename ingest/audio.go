package ingest

import (
	"cmp"
	"time"

	"pushcart/media"
)

// audioClock counts samples: audio units follow each other without a gap, whatever their own times say to
// the millisecond. Where the count and the times drift apart, silence is filled in or a unit dropped.
type audioClock struct {
	codec   media.Codec
	format  media.Format
	frame   int64  // samples in a unit; where units differ in length, in one of silence
	silence []byte // one unit of it, nil if none is known
	start   int64  // of the epoch
	placed  bool   // next counts
	next    int64  // DTS of the next unit
	mean    float64
	away    bool // the host has stopped sending audio: silence follows video closely
	over    bool // units overlap those that are out: they are dropped until one is due
	moved   bool // the times to come are right, be they a little off only
}

// newAudioClock returns the clock of a track as the show has it: its timescale is the sampling rate.
func newAudioClock(t media.Track, f media.Format) *audioClock {
	a := &audioClock{codec: t.Codec, format: f, silence: media.Silence(t, f)}
	const usual = 20 * time.Millisecond
	a.frame = cmp.Or(media.UnitSamples(t.Codec, f, a.silence), media.Ticks(usual, t.Timescale))
	return a
}

// length is the number of samples in a unit.
func (a *audioClock) length(data []byte) int64 {
	return cmp.Or(media.UnitSamples(a.codec, a.format, data), a.frame)
}

// begin starts an epoch at DTS start.
func (a *audioClock) begin(start int64) {
	a.start, a.placed, a.mean, a.over = start, false, 0, false
}

// join makes the count of samples meet a unit with DTS want, if it is the first one, or the first one after
// silence has taken the place of others, and reports whether it is. What is missing before such a unit is a
// whole number of units then.
func (a *audioClock) join(want int64) bool {
	switch {
	case !a.placed:
		a.next = want - max(0, want-a.start)/a.frame*a.frame
		a.placed = true
	case a.away && want >= a.next:
		a.next = want - (want-a.next)/a.frame*a.frame
	default:
		return false
	}
	return true
}

// smoothing is the weight of the newest unit in the mean difference.
const smoothing = 1.0 / 32

// audio gives the unit its place in the count of samples and calls emit with the silence before it, if any
// is needed, and with the unit, unless it has to be dropped. at is the show time of its DTS.
func (c *clock) audio(t *trackClock, au media.AccessUnit, at time.Duration, emit func(media.AccessUnit)) {
	a := t.audio
	want := media.Ticks(at, t.out)
	n := a.length(au.Data)
	joined := a.join(want)
	off := want - a.next
	jitter := media.Ticks(audioJitter, t.out)
	if a.moved {
		jitter = n
	}
	if a.over = off < -jitter || a.over && off <= -n; a.over {
		// Silence has taken their place, or the host sends them again.
		c.count(repairDropped, 1)
		a.mean = 0
		t.begun, t.last = true, at
		return
	}
	a.mean += (float64(off) - a.mean) * smoothing
	switch {
	case off > jitter, joined && off > 0:
		c.fill(t, want, emit)
	case a.mean < -float64(a.frame):
		c.count(repairDropped, 1)
		a.mean += float64(n)
		t.begun, t.last = true, at
		return
	case a.mean > float64(a.frame) && a.silence != nil:
		c.fill(t, a.next+a.frame, emit)
	}
	au.DTS, au.PTS = a.next, a.next
	a.next += n
	a.away, a.moved = false, false
	t.begun, t.last, t.lastOut = true, at, au.DTS
	emit(au)
}

// fill emits silence as long as whole units of it fit before to. If none is known, or the hole is too
// long, the count goes on at to, and there is a hole.
func (c *clock) fill(t *trackClock, to int64, emit func(media.AccessUnit)) {
	a := t.audio
	if a.silence == nil || to-a.next > media.Ticks(maxFill, t.out) {
		a.next, a.mean = to, 0
		return
	}
	filled := int64(0)
	for a.next+a.frame <= to {
		emit(media.AccessUnit{DTS: a.next, PTS: a.next, RandomAccess: true, Data: a.silence})
		a.next += a.frame
		filled++
	}
	a.mean = 0
	if filled > 0 {
		c.count(repairFilled, filled)
	}
}

// keepUp fills in silence for an audio track that is too far behind video, which has come to show time at.
func (c *clock) keepUp(t *trackClock, at time.Duration, emit func(media.AccessUnit)) {
	a := t.audio
	lag := audioLag
	if a.away {
		lag = awayLag
	}
	next := a.next
	if !a.placed {
		next = a.start
	}
	if a.silence == nil || media.Ticks(at-lag, t.out) < next+a.frame {
		return
	}
	a.next, a.placed, a.away = next, true, true
	c.fill(t, media.Ticks(at-awayLag, t.out), emit)
}
