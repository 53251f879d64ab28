package packager

import (
	"time"

	"pushcart/media"
	"pushcart/packager/fmp4"
)

// Where pictures are missing, others take their place that repeat the one before: players that come upon a gap stand
// still for longer than that, and those built on Media Source Extensions can't use what is behind it up to the next
// keyframe (docs/adr/0021-pictures-that-repeat.md). What no picture can be made for stays a gap.

// stand is what a video rendition needs for that.
type stand struct {
	still media.Still
	known bool  // there is a picture that can be repeated: nothing has been a gap since the last keyframe
	shown int64 // the latest presentation time so far

	stuck  bool  // what has been filled in allows nothing to follow but a keyframe
	since  int64 // where that began
	late   int   // of such keyframes in this epoch: how many came when pictures had taken their places
	judged int64 // the end at the last of them
}

// After either of these, what is missing is a gap for the rest of the epoch, and any picture may follow it: players may
// show some of them, and the picture would stand still for ever.
const (
	// mostLate is how many keyframes may come too late: one, after which maxHold is waited for them, and another.
	mostLate = 2
	// maxStuck is how long no keyframe may come: some encoders make none but the first.
	maxStuck = time.Minute
)

// newStand is for the rendition's present track.
func (r *rendition) newStand() (s stand) {
	if r.track.Codec == media.CodecH264 {
		s.still.Config(r.track.Config)
	}
	return s
}

// see takes note of a unit that is published.
func (r *rendition) see(au media.AccessUnit) {
	if r.track.Codec != media.CodecH264 {
		return
	}
	s := &r.stand
	s.still.See(au.Data, au.RandomAccess)
	s.shown = max(s.shown, au.PTS)
	if au.RandomAccess {
		s.known, s.stuck, s.shown = true, false, au.PTS
	}
}

// stands reports whether a hole is filled with pictures: not in a rendition that has left the ladder.
func (r *rendition) stands() bool {
	return r.stand.known && r.stand.late < mostLate && (r == r.p.lead || r.step.awake)
}

// skips reports whether au, the lead's next unit, whose decode time is d, is of no use: it is no keyframe behind pictures
// that allow nothing else, or one that is shown before them.
func (r *rendition) skips(au media.AccessUnit, d int64) bool {
	s := &r.stand
	switch {
	case !s.stuck || au.RandomAccess && au.PTS > s.shown:
		return false
	case au.RandomAccess && r.end > s.judged: // else it tells of the same as the one before
		s.late++
		s.judged = r.end
	case d-s.since > r.ticks(maxStuck):
		s.late = mostLate
	}
	return true
}

// standTicks is how long the next part is that fills a hole of so many ticks, as few and as long as parts may be; zero
// if the hole is shorter than a part may be.
func (r *rendition) standTicks(hole int64) int64 {
	n := hole / r.minPart
	if n == 0 {
		return 0
	}
	return min(r.partTarget, hole/n)
}

// endsAt reports whether the open segment is to end at d, so that a part before it may be short: next, the unit at d, begins
// another, or there is a boundary.
func (r *rendition) endsAt(d int64, next *media.AccessUnit) bool {
	if r != r.p.lead {
		return next == nil || len(r.cuts) > 0 && r.cuts[0].at > r.end && r.cutHere(*next, d)
	}
	return next != nil && r.p.cutBefore(*next, d)
}

// standFor publishes a part with pictures that repeat the one before, and returns how many they are; none if it can't. next is
// the unit behind the hole. If that is a keyframe, they come as fast as the host's: players that have run dry wait for a number of
// pictures. Where nobody knows it (nil), one picture may be repeated and any other follow. With more it is settled: all
// is left out up to the next keyframe, which is all that players could use behind a gap.
func (r *rendition) standFor(ticks int64, next *media.AccessUnit) (pictures int) {
	s := &r.stand
	lost := s.stuck || next != nil && next.RandomAccess
	if next != nil && max(r.end, s.shown+1) >= next.PTS {
		return 0
	}
	data := s.still.Next(lost)
	if data == nil && next == nil && !lost && r == r.p.lead {
		lost, data = true, s.still.Next(true)
		s.stuck, s.since = data != nil, r.end
	}
	if data == nil {
		return 0
	}
	start, each := r.end, ticks
	if lost {
		each = min(r.frame(), ticks)
	}
	r.partStart, r.end = start, start+ticks
	for at := start; data != nil && at < r.end; at += each {
		// A tick early: a picture that comes after all is shown behind it.
		s.shown = max(at-1, s.shown+1)
		r.lastStart = at
		r.samples = append(r.samples, fmp4.Sample{Duration: uint32(each), CompositionOffset: int32(s.shown - at), Data: data})
		if data = nil; r.end-at-each >= each/2 {
			data = s.still.Next(true)
		}
	}
	pictures = len(r.samples)
	r.samples[pictures-1].Duration = uint32(r.end - r.lastStart)
	r.closePart(true)
	r.open.samples -= pictures // they say nothing of the frame rate
	r.open.stood += ticks
	return pictures
}
