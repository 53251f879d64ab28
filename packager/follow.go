package packager

import "pushcart/media"

// maxHeld and maxHeldBytes bound the units of a rendition that wait for the lead; the oldest go first.
const (
	maxHeld      = 4096
	maxHeldBytes = 16 << 20
)

// cut is a boundary that the lead has set, in ticks of the rendition that has to follow. key says that the
// lead has a keyframe there.
type cut struct {
	at  int64
	key bool
}

// hold queues a unit until the lead has got as far.
func (r *rendition) hold(au media.AccessUnit) {
	r.held = append(r.held, au)
	r.heldBytes += len(au.Data)
	for len(r.held) > maxHeld || r.heldBytes > maxHeldBytes {
		r.heldBytes -= len(r.held[0].Data)
		r.held = r.held[1:]
		r.sleep() // what follows may refer to what is lost
	}
}

func (r *rendition) newestHeld() (int64, bool) {
	if len(r.held) == 0 {
		return 0, false
	}
	return r.held[len(r.held)-1].PTS, true
}

// due is the time that the lead has to be beyond before au can be packaged, so that no boundary comes up in
// front of it any more.
func (r *rendition) due(au media.AccessUnit) int64 {
	if r.video() {
		return r.videoDue(au)
	}
	return au.PTS + r.predicted/2
}

// drain packages the held units before which no boundary can come up that the lead, which is at horizon, has
// not set yet.
func (r *rendition) drain(horizon int64) {
	if len(r.held) == 0 {
		return
	}
	i := 0
	for i < len(r.held) && r.due(r.held[i]) < horizon {
		r.heldBytes -= len(r.held[i].Data)
		r.follow(r.held[i])
		i++
	}
	n := copy(r.held, r.held[i:])
	clear(r.held[n:])
	r.held = r.held[:n]
}

// follow takes a unit of a rendition that is not the lead.
func (r *rendition) follow(au media.AccessUnit) {
	switch {
	case r.video():
		r.followVideo(au)
	case r.fills():
		r.followVoice(au)
	default:
		r.followAudio(au)
	}
}

// followAudio takes a unit of an audio track for which there is no silence to fill in. Where it is missing,
// there is a gap.
func (r *rendition) followAudio(au media.AccessUnit) {
	if !r.begun {
		at := media.Rescale(r.p.epochStart, r.p.lead.timescale(), r.timescale())
		switch late := au.PTS - at; {
		case late < -r.predicted/2:
			return
		case late <= r.predicted:
			at = au.PTS
		}
		r.begin(au, at)
	}
	d := r.decodeTime(au)
	if r.late(d) {
		return
	}
	for len(r.cuts) > 0 && r.cuts[0].at < d { // what is missing belongs into the segments that it is missing from
		n, at := len(r.cuts), r.cuts[0].at
		r.settle(at)
		r.skipTo(at, nil)
		if len(r.cuts) == n {
			r.followCuts(at)
		}
		if len(r.cuts) == n {
			break
		}
	}
	r.settle(d)
	r.followCuts(d)
	r.skipTo(d, &au)
	r.place(au, d)
}

// place appends an audio unit, whose decode time is d.
func (r *rendition) place(au media.AccessUnit, d int64) {
	r.makeRoom(au, d)
	r.add(au, d)
	if r.partFull() {
		r.closePart(false)
	}
	r.followCuts(r.end)
}

// late reports whether something else has taken the place of a unit at d: a gap, silence, or units of a connection
// before, which was placed further ahead.
func (r *rendition) late(d int64) bool {
	taken := r.filled
	if r.track.Contributed {
		taken = max(taken, r.lastTime)
	}
	if d+r.predicted/2 >= taken {
		return false
	}
	r.p.stats.Late++
	return true
}

// followCuts ends the open segment of an audio rendition at the boundaries that the lead has set up to time d,
// to the nearest unit.
func (r *rendition) followCuts(d int64) {
	for len(r.cuts) > 0 && d+r.predicted/2 >= r.cuts[0].at {
		r.closePart(true)
		if len(r.open.parts) == 0 {
			return
		}
		r.closeSegment()
		r.cuts = r.cuts[1:]
	}
}

// giveUp lists gaps for a track that lags too far behind the lead, and at once for one that is not there.
func (r *rendition) giveUp() {
	most := maxCuts
	if r.idle && !r.fills() {
		most = 0
	}
	for len(r.cuts) > most {
		if !r.begun {
			r.begin(media.AccessUnit{}, media.Rescale(r.p.epochStart, r.p.lead.timescale(), r.timescale()))
		}
		switch {
		case r.fills():
			n := len(r.cuts)
			r.silenceTo(r.cuts[0].at)
			if len(r.cuts) == n {
				r.finish()
			}
		case r.video():
			r.sleep()
			r.finish()
		default:
			r.finish()
		}
	}
}

// finish ends the open segment at the next boundary. What media it lacks up to there is a gap.
func (r *rendition) finish() {
	n, at := len(r.cuts), r.cuts[0].at
	if r.end < at {
		r.settle(at)
	}
	r.closePart(true)
	switch {
	case len(r.open.parts) > 0, !r.video() && !r.idle && !r.track.Contributed && at > r.end: // the host's sound is expected back
		if at-r.end > r.frame()/2 {
			r.gapTo(at, nil)
		}
		if len(r.cuts) < n {
			return // gapTo has ended it, as it does with audio
		}
		r.closeSegment()
	case at > r.open.start:
		r.open.ticks, r.end = at-r.open.start, at
		r.closeSegment()
	default: // it has run ahead of the boundary without any media behind the last one
		r.gapSegment(r.p.lead.segments[len(r.p.lead.segments)-n])
	}
	r.filled = max(r.filled, at)
	r.cuts = r.cuts[1:]
}

// flush packages all that is held and closes the part. What others than the host have sent for later is of no
// use.
func (r *rendition) flush() {
	if r.p.started {
		for _, au := range r.held {
			if r.track.Contributed && r.due(au) >= r.p.horizon(r) {
				break
			}
			r.follow(au)
		}
	}
	clear(r.held)
	r.held, r.heldBytes = r.held[:0], 0
	r.closePart(true)
	r.cuts = nil
}
