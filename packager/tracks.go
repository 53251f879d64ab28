package packager

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"pushcart/media"
)

// maxRenditions bounds the renditions of a show. One more takes the place of the one that has been away for
// longest; as long as none is away, there is no place for it.
const maxRenditions = 32

// beginEpoch ends what is open in all renditions at one boundary and sets up the tracks that follow.
func (p *Packager) beginEpoch(tracks []media.Track) error {
	p.closeEpoch()
	p.redescribe = true
	p.discontinuity = p.stats.Segments > 0
	if p.discontinuity {
		p.stats.Discontinuities++
	}
	for _, r := range p.renditions {
		r.goAway()
		r.fed = false
		r.rates.renew(p.msn)
	}
	p.byTrack = make(map[int]*rendition, len(tracks))
	p.source = soundSource(tracks)
	var firstErr error
	for _, kind := range []media.Kind{media.KindVideo, media.KindAudio} {
		main := true // the next of the host's own
		for _, t := range tracks {
			if t.Kind() != kind || t.Internal {
				continue
			}
			r, err := p.assign(t, main && !t.Contributed)
			if err != nil {
				if firstErr == nil {
					firstErr = err
				}
				continue
			}
			p.byTrack[t.ID] = r
			if !t.Contributed {
				main = false
				if p.lead == nil {
					p.lead = r
				}
			}
		}
	}
	p.started, p.epochCuts = false, 0
	return firstErr
}

// join gives contributed tracks their renditions, in the middle of an epoch. Nothing changes for the others.
func (p *Packager) join(tracks []media.Track) error {
	if p.lead == nil {
		return nil // the next epoch tells of them
	}
	var firstErr error
	for _, t := range tracks {
		if k := t.Kind(); t.Internal || k != media.KindVideo && k != media.KindAudio {
			continue
		}
		if r := p.byTrack[t.ID]; r != nil {
			if r.track.SameConfig(t) {
				if t.Away && !r.track.Away {
					r.noteLeft()
				}
				r.track = t
				p.redescribe = true
				continue
			}
			r.goAway()
			delete(p.byTrack, t.ID)
		}
		r, err := p.assign(t, false)
		if err != nil {
			if firstErr == nil {
				firstErr = err
			}
			continue
		}
		p.byTrack[t.ID] = r
		if p.started && !r.begun {
			r.enter()
		}
	}
	return firstErr
}

// leave takes contributed tracks out of the show. They may come back.
func (p *Packager) leave(tracks []media.Track) {
	for _, t := range tracks {
		if r := p.byTrack[t.ID]; r != nil {
			r.goAway()
			delete(p.byTrack, t.ID)
		}
	}
}

// goAway notes that nothing comes for r any more. Its playlist goes on.
func (r *rendition) goAway() {
	if r.idle {
		return
	}
	r.idle = true
	if !r.track.Away { // what it is there for has left before
		r.noteLeft()
	}
	if r.video() {
		r.closePart(true) // gaps follow
		r.sleep()
	}
	if r.p.started && r.begun { // it has lagged behind the lead for the last time
		r.fillIn()
		r.giveUp()
	}
}

// noteLeft notes that what r is there for is not there from now on.
func (r *rendition) noteLeft() { r.left = r.p.positionTime(r.end, r.timescale()) }

// assign gives track t to the rendition that it has had, or to a new one. main says that it is the host's
// first track of its kind.
func (p *Packager) assign(t media.Track, main bool) (*rendition, error) {
	f, err := media.ParseConfig(t)
	if err != nil {
		return nil, fmt.Errorf("packager: track %d (%s): %w", t.ID, t.Codec, err)
	}
	r := p.known(t, main)
	for _, old := range p.renditions {
		if old != r && old.idle && !main && old.track.ID == t.ID && old.track.Kind() == t.Kind() {
			old.left = time.Time{} // what it was is here again, in another form: it is not waited for
		}
	}
	switch {
	case r == nil:
	case r.begun && r.fed: // it goes on where it is
		r.track, r.idle = t, false
		p.redescribe = true
		return r, nil
	default:
		return r, r.setTrack(t, f)
	}
	if len(p.renditions) >= maxRenditions && !p.dropOne() {
		return nil, fmt.Errorf("packager: track %d (%s): the show has %d renditions already, and none that is away", t.ID, t.Codec, maxRenditions)
	}
	r = newRendition(p, p.newName(t.Kind(), main))
	r.main = main
	if err := r.setTrack(t, f); err != nil {
		return nil, err
	}
	switch {
	case p.lead != nil && p.started:
		r.mirror(p.lead)
	case len(p.renditions) > 0:
		r.mirror(p.renditions[0])
	}
	p.renditions = append(p.renditions, r)
	return r, nil
}

// known returns the rendition that goes on with t, nil if there is none. The host's first tracks go on with
// theirs whatever they are, as an epoch begins with them. Others are known by their ID, and need the same
// configuration, unless the rendition has had no media since the last discontinuity.
func (p *Packager) known(t media.Track, main bool) (best *rendition) {
	for _, r := range p.renditions {
		switch {
		case r.track.Kind() != t.Kind(), r.main != main:
		case main:
			return r
		case r.track.ID != t.ID, r.track.Contributed != t.Contributed:
		case r.track.SameConfig(t):
			return r
		case !r.fed:
			best = r
		}
	}
	return best
}

// newName names a rendition: the host's first ones v1 and a1, others v2, a2 and so on as they come. No name is
// used twice.
func (p *Packager) newName(k media.Kind, main bool) string {
	letter := "v"
	if k == media.KindAudio {
		letter = "a"
	}
	if main {
		return letter + "1"
	}
	p.numbers[k] = max(p.numbers[k], 1) + 1
	return letter + strconv.Itoa(p.numbers[k])
}

// dropOne forgets the rendition that has been away for longest, but for the host's first ones. It reports
// whether there was one.
func (p *Packager) dropOne() bool {
	var oldest *rendition
	for _, r := range p.renditions {
		if r.idle && !r.main && (oldest == nil || r.left.Before(oldest.left)) {
			oldest = r
		}
	}
	if oldest == nil {
		return false
	}
	p.renditions = slices.DeleteFunc(slices.Clone(p.renditions), func(r *rendition) bool { return r == oldest })
	p.window.forget(oldest)
	if oldest.shown {
		p.relist()
	}
	return true
}
