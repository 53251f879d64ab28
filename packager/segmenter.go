package packager

import (
	"time"

	"pushcart/media"
)

const (
	// maxHold is how far other tracks may run ahead of the lead before they stop waiting for it.
	maxHold = time.Second
	// heldFor is the same once pictures that repeat the one before have taken the lead's place up to the next keyframe: what
	// else it brings is of no use, so all that has to be waited for is that keyframe, on its way behind sound. If that is later
	// still, it is maxHold again.
	heldFor = 400 * time.Millisecond
	// maxCuts is how many segments another track may lag behind the lead before gaps take its place. A
	// transcoder is a second behind at most when it can keep up; a request for a playlist that does not move
	// is answered with an error after three target durations.
	maxCuts = 2
	// roundingRoom is what a segment may last above its target duration: less than what would round up
	// (rfc8216bis 4.4.3.1), with room for an audio frame.
	roundingRoom = 450 * time.Millisecond
)

// targetSteps are the target durations, in seconds, that a show moves to whose keyframes are rarer than
// configured. It does so when the first such segment is complete: normally once, seconds after the show
// has begun (docs/adr/0003-target-duration.md).
var targetSteps = []int{4, 6, int(maxSegment / time.Second)}

// leadUnit takes a unit of the rendition that decides where segments end.
func (p *Packager) leadUnit(au media.AccessUnit) {
	r := p.lead
	if !p.started {
		p.start(au)
	}
	d := r.decodeTime(au)
	if r.skips(au, d) {
		p.stats.Skipped++
		r.skipTo(d, nil)
		return
	}
	r.settle(d)
	r.skipTo(d, &au)
	switch {
	case p.cutBefore(au, d):
		p.cutLead(true)
	case au.RandomAccess && r.video() && r.partTicks() >= r.minPart:
		r.closePart(false) // the part that begins with this picture can then be marked INDEPENDENT
	}
	r.makeRoom(au, d)
	if len(r.samples) == 0 && r.openTicks() > 0 && p.tooLong(r) { // parts have been closed before they were full
		if au.RandomAccess {
			p.cutLead(true)
		} else {
			p.forceCut()
		}
	}
	r.add(au, d)
	if !r.partFull() {
		return
	}
	r.closePart(false)
	if p.tooLong(r) {
		p.forceCut()
	}
}

// forceCut ends a segment because it can't be any longer. The next one may begin without a keyframe.
func (p *Packager) forceCut() {
	if p.lead.video() {
		p.stats.ForcedCuts++
		p.dependent = true
	}
	p.cutLead(!p.lead.video())
}

// start places the segments that begin with the epoch, at the lead's first unit.
func (p *Packager) start(au media.AccessUnit) {
	p.epochStart = au.PTS
	p.lead.begin(au, au.PTS)
	p.started = true
	for _, r := range p.renditions {
		if r != p.lead && (r.idle || r.video() || r.track.Contributed) {
			r.enter()
		}
	}
}

// cutBefore decides whether a new segment begins with au, whose decode time is d.
func (p *Packager) cutBefore(au media.AccessUnit, d int64) bool {
	r := p.lead
	if r.openTicks() == 0 {
		return false
	}
	age := d - r.open.start
	segment := r.ticks(p.cfg.Latency.Segment)
	if !r.video() {
		return age+r.predicted/2 >= segment
	}
	if !au.RandomAccess {
		return false
	}
	switch {
	case age+r.predicted/2 >= segment:
		return true
	case age < segment/2:
		return false
	case age+(d-r.lastKey) > r.ticks(time.Duration(p.targetDuration)*time.Second+roundingRoom):
		return true // the next keyframe is likely to come too late
	default:
		// A part that is too short to be closed may only end here together with its segment.
		return len(r.samples) > 0 && r.partTicks() < r.minPart
	}
}

// tooLong reports whether r's open segment has no room for another part.
func (p *Packager) tooLong(r *rendition) bool {
	return r.openTicks()+r.partTarget > r.ticks(maxSegment+roundingRoom)
}

// cutLead ends the lead's open segment at its present end and tells the others to follow, other pictures with
// a keyframe if key is set.
func (p *Packager) cutLead(key bool) {
	r := p.lead
	r.closePart(true)
	if len(r.open.parts) == 0 {
		return
	}
	at := r.end
	done := r.closeSegment()
	p.msn = r.open.msn
	p.completed(done)
	for _, f := range p.renditions {
		if f != r {
			f.cuts = append(f.cuts, cut{media.Rescale(at, r.timescale(), f.timescale()), key})
			if !f.video() {
				f.followCuts(f.end)
			}
			f.giveUp()
		}
	}
}

// completed keeps the books of a segment of the lead.
func (p *Packager) completed(s *segment) {
	p.stats.Segments++
	p.epochCuts++
	p.redescribe = true
	p.trim()
}

// raiseTarget makes room for a segment that is longer than the target duration allows.
func (p *Packager) raiseTarget(segment time.Duration) {
	need := roundSeconds(segment)
	if need <= p.targetDuration {
		return
	}
	p.targetDuration = need
	for _, s := range targetSteps {
		if s >= need {
			p.targetDuration = s
			break
		}
	}
	p.stats.TargetDuration = time.Duration(p.targetDuration) * time.Second
	for _, r := range p.renditions {
		r.dirty = true // all media playlists say the same (rfc8216bis 6.2.4)
	}
}

// trim drops the oldest segments from the playlists of all renditions: what is left lasts as long as the
// window, and no less than players need, in each of them.
func (p *Packager) trim() {
	keep := max(p.cfg.Window, 3*p.stats.TargetDuration)
	for {
		for _, r := range p.renditions {
			listed := r.listed(p.firstMSN)
			if len(listed) <= minListed || length(listed[1:]) < keep {
				return
			}
		}
		if p.lead.listed(p.firstMSN)[0].discontinuity {
			p.dsn++
		}
		p.firstMSN++
	}
}

// horizon is the time, in r's ticks, before which no boundary can come up any more: the lead's next unit
// begins there at the earliest.
func (p *Packager) horizon(r *rendition) int64 {
	return media.Rescale(p.lead.end, p.lead.timescale(), r.timescale())
}

// hold is how far other tracks may run ahead of the lead at present.
func (p *Packager) hold() time.Duration {
	if s := &p.lead.stand; s.stuck && s.late == 0 {
		return heldFor
	}
	return maxHold
}

// waitNoLonger lets r go on if the lead has fallen too far behind it, and keeps the lead's playlist
// moving with gaps.
func (p *Packager) waitNoLonger(r *rendition) {
	newest, ok := r.newestHeld()
	if !ok || newest-p.horizon(r) < r.ticks(p.hold()) {
		return
	}
	l := p.lead
	to := media.Rescale(newest-r.ticks(p.hold()), r.timescale(), l.timescale())
	if !l.mustSkip(to) {
		return // its pending part has room: what the lead brings next may still begin before
	}
	l.settle(to)
	l.gapTo(to, nil)
	r.drain(p.horizon(r))
}

// closeEpoch completes what is open, so that all renditions end with the same media sequence number.
func (p *Packager) closeEpoch() {
	if p.lead == nil {
		return
	}
	for _, r := range p.renditions {
		r.flush()
	}
	for {
		done := p.closeLowest()
		if done == nil {
			break
		}
		if done.msn >= p.msn {
			p.msn = done.msn + 1
			p.completed(done)
		}
	}
	p.passEdge()
	p.lead, p.byTrack, p.started = nil, nil, false
}

// closeLowest completes the segment with the lowest number that is open anywhere. A rendition that has no
// media for a segment that others have gets a gap of its length. It returns nil when nothing is left.
func (p *Packager) closeLowest() *segment {
	lowest := p.renditions[0].open.msn
	for _, r := range p.renditions {
		lowest = min(lowest, r.open.msn)
	}
	var done *segment
	for _, r := range p.renditions {
		if r.open.msn == lowest && len(r.open.parts) > 0 {
			done = r.closeSegment()
		} else if r.open.msn > lowest {
			done = r.segments[len(r.segments)-int(r.open.msn-lowest)]
		}
		if done != nil {
			break
		}
	}
	if done == nil {
		return nil
	}
	for _, r := range p.renditions {
		switch {
		case r.open.msn != lowest:
		case len(r.open.parts) > 0:
			r.closeSegment()
		default:
			r.prefix(done.start)
			r.gapSegment(done)
		}
	}
	return done
}
