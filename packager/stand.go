package packager

import (
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
	stuck bool  // what has been filled in allows nothing to follow but a keyframe
}

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
	return r.stand.known && (r == r.p.lead || r.step.awake)
}

// skips reports whether au, the lead's next unit, is of no use: it is no keyframe behind pictures that allow nothing
// else, or one that is shown before them.
func (r *rendition) skips(au media.AccessUnit) bool {
	return r.stand.stuck && (!au.RandomAccess || au.PTS <= r.stand.shown)
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

// standFor publishes a part with a picture that repeats the one before, and reports whether it could. next is the unit behind
// the hole. Where nobody knows it (nil), one picture may be repeated and any other follow. With a second one it is settled:
// all is left out up to the next keyframe, which is all that players could use behind a gap.
func (r *rendition) standFor(ticks int64, next *media.AccessUnit) bool {
	s := &r.stand
	lost := s.stuck || next != nil && next.RandomAccess
	// A tick early: a picture that comes after all is shown behind it.
	pts := max(r.end-1, s.shown+1)
	if next != nil && pts >= next.PTS {
		return false
	}
	data := s.still.Next(lost)
	if data == nil && next == nil && !lost && r == r.p.lead {
		data = s.still.Next(true)
		s.stuck = data != nil
	}
	if data == nil {
		return false
	}
	s.shown = pts
	start := r.end
	r.partStart, r.lastStart, r.end = start, start, start+ticks
	r.samples = append(r.samples, fmp4.Sample{Duration: uint32(ticks), CompositionOffset: int32(pts - start), Data: data})
	r.closePart(true)
	r.open.samples-- // it says nothing of the frame rate
	r.open.stood += ticks
	return true
}
