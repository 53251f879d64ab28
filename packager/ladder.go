package packager

import (
	"fmt"
	"time"

	"pushcart/media"
)

// probation is how many boundaries in a row a track has to have keyframes at before it comes back to the ladder
// that it has left.
const probation = 3

// step is how a video rendition beside the lead keeps in step with it.
//
// Players change between renditions at the beginning of a segment, so each segment has to begin with a keyframe
// in all of them, at the same moment. A rendition is awake from a keyframe at a boundary on. It falls asleep
// when a boundary passes without one, and lists gaps until it wakes up again
// (docs/adr/0009-one-track-leads-the-ladder.md).
type step struct {
	awake bool
	live  bool // it has had a part since it woke up
	// early says that its keyframes are up to a frame before the lead's, so that they have to wait a little.
	early     bool
	probation int
	lastKey   int64 // time of its newest keyframe, in step or not
	keyed     bool  // there has been one
	lastTime  int64
	passed    *int64 // the newest boundary without a keyframe, until that has been remarked on
}

// longestFrame is what a frame is taken for at most, unless the host has declared so low a rate: what follows a
// pause lasts no longer.
const longestFrame = 100 * time.Millisecond

// frame is how long a picture, or an audio unit, lasts.
func (r *rendition) frame() int64 {
	return max(min(r.predicted, r.ticks(longestFrame)), r.nominal())
}

// slack is how far a keyframe may be from a boundary: a frame, and what clocks of milliseconds make of it.
func (r *rendition) slack() int64 { return r.frame() * 9 / 8 }

// videoTime is where au belongs: to the decoder's clock once that is known, which is a keyframe's presentation
// time.
func (r *rendition) videoTime(au media.AccessUnit) int64 {
	if r.step.awake {
		return r.decodeTime(au)
	}
	return au.PTS
}

// videoDue is due for video. A keyframe that may belong to a boundary yet to come waits for one frame more.
func (r *rendition) videoDue(au media.AccessUnit) int64 {
	d := r.videoTime(au)
	if au.RandomAccess && (r.step.early || !r.step.awake) {
		return d + r.slack()
	}
	return d + r.frame()/2
}

// followVideo takes a unit of a video track that is not the lead.
func (r *rendition) followVideo(au media.AccessUnit) {
	d := r.videoTime(au)
	for len(r.cuts) > 0 && r.cuts[0].at < d-r.slack() {
		r.pass()
	}
	woken := !r.step.awake && r.wake(au, d)
	r.step.lastTime = d
	if au.RandomAccess {
		r.step.lastKey, r.step.keyed = d, true
	}
	if !r.step.awake {
		return
	}
	d = r.decodeTime(au)
	r.settle(d)
	r.skipTo(d, &au)
	switch {
	case woken:
	case r.cutHere(au, d):
		r.finish()
	case au.RandomAccess && r.partTicks() >= r.minPart:
		r.closePart(false) // as the lead does
	}
	r.makeRoom(au, d)
	r.add(au, d)
	if r.partFull() {
		r.closePart(false)
	}
}

// cutHere reports whether au, at d, begins the segment at the next boundary.
func (r *rendition) cutHere(au media.AccessUnit, d int64) bool {
	if len(r.cuts) == 0 {
		return false
	}
	if c := r.cuts[0]; c.key {
		return au.RandomAccess && d >= c.at-r.room()
	}
	return d+r.frame()/2 >= r.cuts[0].at
}

// room is how far before a boundary its keyframe may be: half a frame, a whole one only where it is known to be
// always that early. Else a track of nothing but keyframes would be cut a frame too soon.
func (r *rendition) room() int64 {
	if r.step.early {
		return r.slack()
	}
	return r.frame() / 2
}

// pass lets a boundary pass that no unit has begun at.
func (r *rendition) pass() {
	c, st := r.cuts[0], &r.step
	if c.key {
		flowing := st.lastTime >= c.at-2*r.slack() // else this is a hole, and says nothing about keyframes
		if flowing {
			if st.keyed && st.lastKey < c.at && st.lastKey >= c.at-r.slack() {
				st.early = true
			} else if st.passed == nil {
				at := c.at
				st.passed = &at
			}
		}
		if st.awake && flowing && !st.early || st.probation > 0 {
			st.probation = probation
		}
		r.sleep()
	} else if r.end < c.at-r.slack() {
		r.sleep() // units are missing
	}
	r.finish()
}

// wake puts the rendition in step if au is a keyframe at a boundary: the beginning of the open segment, of which
// there is nothing yet, or the next one.
func (r *rendition) wake(au media.AccessUnit, d int64) bool {
	if !au.RandomAccess {
		return false
	}
	if len(r.cuts) > 0 && d >= r.cuts[0].at-r.room() {
		r.finish()
	}
	off := d - r.open.start
	if len(r.open.parts) > 0 || off < -r.room() || off > r.slack() {
		r.stray(d)
		return false
	}
	if r.step.probation > 1 {
		r.step.probation--
		return false
	}
	r.step = step{awake: true, early: r.step.early}
	r.shift = au.PTS - au.DTS
	r.lastTime, r.lastKey, r.since = r.end, r.end, r.end
	r.predicted = r.nominal()
	r.deltas = [3]int64{r.predicted, r.predicted, r.predicted}
	return true
}

// sleep has the rendition wait for a keyframe at a boundary.
func (r *rendition) sleep() { r.step.awake, r.step.live = false, false }

// stray tells the operator how far the keyframe at d, or the one before, is from the boundary that has passed
// without one.
func (r *rendition) stray(d int64) {
	st := &r.step
	if st.passed == nil {
		return
	}
	off := d - *st.passed
	if before := st.lastKey - *st.passed; st.keyed && -before < off {
		off = before
	}
	st.passed = nil
	if st.probation == 0 {
		st.probation = probation
	}
	what := "behind"
	if off < 0 {
		what = "ahead of"
	}
	r.p.remark("ladder "+r.name, fmt.Sprintf("video track %s is not in the ladder: its keyframes are %v %s the first track's; give all video tracks the same keyframe interval and start them together",
		r.title(), media.Duration(max(off, -off), r.timescale()).Round(time.Millisecond), what))
}

// title is what an operator knows the track by.
func (r *rendition) title() string {
	size := fmt.Sprintf("%dx%d", r.format.Width, r.format.Height)
	if r.track.Label != "" && r.track.Label != size {
		return fmt.Sprintf("%d (%s, %s)", r.track.ID, r.track.Label, size)
	}
	return fmt.Sprintf("%d (%s)", r.track.ID, size)
}
