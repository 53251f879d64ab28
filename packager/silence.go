package packager

import (
	"time"

	"pushcart/media"
)

// A contributed voice comes and goes. Players that listen to it would stall at a gap, so silence takes its
// place: at once when it has left, and after a while when it merely lags
// (docs/adr/0011-silence-for-voices.md).
const (
	// patience is how far a voice may lag behind the lead before silence takes its place: more than a transcoder
	// that mixes it needs. It grows, up to mostPatience, with a voice that is constantly later.
	patience     = 1500 * time.Millisecond
	mostPatience = 4 * time.Second
	// morePatience is what it has above the lag that has been seen.
	morePatience = 500 * time.Millisecond
	// awayFor is how long a voice that has left stays in the multivariant playlist: it may just be reconnecting.
	awayFor = 30 * time.Second
)

// quiet is how silence stands in for a contributed audio track.
type quiet struct {
	unit     []byte // nil: silence is not known, or not wanted
	ticks    int64  // how long the unit lasts
	patience int64
	now      bool // silence is being filled in
	heard    bool // there has been a unit of its own
}

// newQuiet is for the rendition's present track.
func (r *rendition) newQuiet() quiet {
	if r.video() || !r.track.Contributed {
		return quiet{}
	}
	q := quiet{unit: media.Silence(r.track, r.format), ticks: r.nominal(), patience: r.ticks(patience), heard: r.quiet.heard}
	if r.track.Codec == media.CodecOpus {
		q.ticks = r.ticks(media.OpusDuration(q.unit))
	}
	if q.ticks <= 0 {
		q.unit = nil
	}
	return q
}

// fills reports whether silence takes the place of what is missing.
func (r *rendition) fills() bool { return r.quiet.unit != nil }

// followVoice takes a unit of an audio track whose holes are filled with silence.
func (r *rendition) followVoice(au media.AccessUnit) {
	q := &r.quiet
	d := r.decodeTime(au)
	if r.late(d) {
		lag := r.p.horizon(r) - d
		q.patience = min(max(q.patience, lag+r.ticks(morePatience)), r.ticks(mostPatience))
		q.now = false
		return
	}
	q.now, q.heard = false, true
	r.silenceTo(d)
	r.settle(d)
	r.followCuts(d)
	r.place(au, d)
}

// fillIn appends silence up to where the lead is, if the voice is not there or too late.
func (r *rendition) fillIn() {
	if !r.fills() || !r.begun {
		return
	}
	q, horizon := &r.quiet, r.p.horizon(r)
	most := q.patience
	if !q.heard { // nobody listens yet
		most = r.ticks(mostPatience)
	}
	if !q.now && !r.idle && horizon-r.end <= most {
		return
	}
	q.now = true
	for r.end+q.ticks <= horizon {
		r.silence()
	}
}

// silenceTo appends silence up to d, to the nearest unit.
func (r *rendition) silenceTo(d int64) {
	for d-r.end > r.quiet.ticks/2 {
		r.silence()
	}
}

// silence appends one unit of it.
func (r *rendition) silence() {
	r.makeRoom(media.AccessUnit{Data: r.quiet.unit}, r.end)
	r.place(media.AccessUnit{PTS: r.end, DTS: r.end, RandomAccess: true, Data: r.quiet.unit}, r.end)
	r.filled = r.end
}
