package packager

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"pushcart/media"
	"pushcart/packager/m3u8"
)

// The transfer characteristics of ISO/IEC 23091-2 that make a picture high dynamic range.
const (
	transferPQ  = 16
	transferHLG = 18
)

// offer decides which renditions the multivariant playlist has: those that a player who comes now can play. The
// choice stays while the host is away, and until a new epoch shows what there is.
func (p *Packager) offer() {
	if p.lead == nil || !p.settled() {
		return
	}
	for _, qualities := range []bool{false, true} { // whether those are offered depends on the others
		for _, r := range p.renditions {
			if r.quality() != qualities {
				continue
			}
			if now := r.offered(); now != r.shown {
				r.shown = now
				p.relist()
			}
		}
	}
}

// lookForCaptions takes note of captions in the lead's unit. That there are none is worth saying: AVPlayer otherwise offers some that
// there are not, and Shaka 5.2 loads three segments to look for them before it plays anything.
func (p *Packager) lookForCaptions(au media.AccessUnit) {
	if !p.captions && media.HasCaptions(p.lead.track, au.Data) {
		p.captions, p.redescribe = true, true
	}
}

// relist notes that the multivariant playlist has to list other renditions than before. All playlists change
// with it: they have reports about those that it lists (rfc8216bis 4.4.5.4), and a player that has just read it
// can't know better.
func (p *Packager) relist() {
	p.redescribe = true
	for _, r := range p.renditions {
		r.dirty = r.dirty || r.state.Load() != nil
	}
}

// settled reports whether each of the host's tracks has something to play. Other pictures than the lead's, which
// may never line up with it, are waited for no longer than the first segment and a part.
func (p *Packager) settled() bool {
	if p.awaitsSound() {
		return false
	}
	for _, r := range p.renditions {
		switch {
		case r.idle, r.track.Contributed:
		case r.video() && r != p.lead:
			if !r.offered() && (p.epochCuts == 0 || p.epochCuts == 1 && p.lead.open.ticks == 0) {
				return false
			}
		case !r.ready || !r.deep():
			return false
		}
	}
	return true
}

// deep reports whether r, beside others, can be begun: players begin the hold back behind the edge, and should find media there,
// as far as the show itself goes back. hls.js 1.7.4, when it finds a gap, never chooses that size by itself again
// (docs/adr/0022-offered-when-it-can-be-begun.md). What has been shown is deep, and what has had holes for so long that waiting does
// not help. The show's own picture and sound are offered with their first part: as long as nothing stands beside them,
// there is nothing else to choose.
func (r *rendition) deep() bool {
	if r.shown || r.original() {
		return true
	}
	hold, lead := r.p.cfg.Latency.HoldBack, r.p.lead
	want := hold
	if !r.p.discontinuity {
		age := media.Duration(lead.open.start+lead.open.ticks-lead.since, lead.timescale())
		want = min(hold, age-r.p.cfg.Latency.Part)
	}
	edge := r.open.start + r.open.ticks
	if !r.track.Contributed { // the host's tracks come together: what is far behind the lead is not there
		edge = r.p.horizon(r)
	}
	return r.whole(want) >= want || media.Duration(edge-r.since, r.timescale()) >= mostHolds*hold
}

// whole is how long the newest part of r's playlist is that has no gap, or a little more than most if it is longer.
func (r *rendition) whole(most time.Duration) (d time.Duration) {
	for i, parts := len(r.segments), r.open.parts; ; parts = r.segments[i].parts {
		for _, x := range slices.Backward(parts) {
			if x.gap || d >= most {
				return d
			}
			d += x.duration
		}
		if i--; i < 0 || r.segments[i].gap {
			return d
		}
	}
}

// complete reports whether r's newest complete segment can be played. With more than one size to choose from, hls.js 1.7.4
// measures the network by it, whatever parts there are.
func (r *rendition) complete() bool {
	n := len(r.segments)
	return n > 0 && !r.segments[n-1].gap
}

// mostHolds is how many times the hold back a rendition that has holes all the time waits to be offered.
const mostHolds = 3

// offered reports whether r can be played at present.
func (r *rendition) offered() bool {
	p := r.p
	switch {
	case !r.ready || !r.deep():
		return false
	case r.quality() && (r.idle || !p.shows(r.track.Group)):
		return false
	case r.idle, r.track.Away:
		// A voice may just be reconnecting, and there is silence, or the show's own sound.
		return r.fills() && r.quiet.heard && p.positionTime(p.lead.end, p.lead.timescale()).Sub(r.left) < awayFor
	case r.video() && r != p.lead:
		return r.step.live && (r.shown || r.complete() && p.lead.complete())
	case r.fills():
		return r.quiet.heard
	}
	return true
}

// updateMultivariant renders the multivariant playlist into s, if it is not what s has.
func (p *Packager) updateMultivariant(s *windowState) {
	if !slices.ContainsFunc(p.renditions, func(r *rendition) bool { return r.shown }) {
		return // nothing to play yet
	}
	p.redescribe = false
	m := p.multivariant()
	text := m.Append(nil)
	if string(text) == s.text {
		return
	}
	s.text = string(text)
	tag := p.show.Epoch + "-" + strconv.FormatUint(uint64(p.documents), 36)
	p.documents++
	s.multivariant = NewDocument(tag, func() []byte { return text })
}

// multivariant describes the renditions as they are now, in an order that does not depend on which came first
// (docs/adr/0010-order-of-variants.md).
func (p *Packager) multivariant() m3u8.Multivariant {
	m := m3u8.Multivariant{IndependentSegments: !p.dependent, NoCaptions: !p.captions}
	var videos, audios, qualities []*rendition
	for _, r := range p.renditions {
		switch {
		case !r.shown:
		case r.video():
			videos = append(videos, r)
		case r.quality():
			qualities = append(qualities, r)
		default:
			audios = append(audios, r)
		}
	}
	slices.SortStableFunc(audios, func(a, b *rendition) int { return mainFirst(a, b) })
	groups := audioGroups(audios)
	if len(videos) == 0 { // the variant is the audio playlist
		m.Variants = append(m.Variants, groups[0].variant(audios[0]))
		if len(audios) > 1 {
			m.Audio = listAudio(groups)
			m.Variants[0].AudioGroup = groups[0].id
		}
		return m
	}
	best := slices.Clone(videos)
	slices.SortStableFunc(best, better)
	slices.SortStableFunc(videos, func(a, b *rendition) int { return cmp.Or(mainFirst(a, b), better(a, b)) })
	codecs := len(groups) // behind them come those of other qualities
	for _, r := range videos {
		v := r.variant()
		v.Score = float64(len(best) - slices.Index(best, r))
		keys := v
		keys.URI, keys.StableID = r.name+keysSuffix+".m3u8", r.name+keysSuffix
		if keys.Bandwidth, keys.AverageBandwidth = r.rates.keyFigures(); keys.Bandwidth > 0 {
			m.IFrames = append(m.IFrames, keys)
		}
		for i, g := range groups[:codecs] {
			q := g.inQuality(r.track.Group, qualities)
			if !slices.ContainsFunc(groups, func(g group) bool { return g.id == q.id }) {
				groups = append(groups, q)
			}
			x := q.variant(r)
			x.Score, x.AudioGroup = v.Score, q.id
			if i > 0 {
				x.StableID += "-" + g.id
			}
			m.Variants = append(m.Variants, x)
		}
		if codecs == 0 {
			m.Variants = append(m.Variants, v)
		}
	}
	m.Audio = listAudio(groups)
	return m
}

// mainFirst compares by whether renditions are the host's first of their kind, or made of that.
func mainFirst(a, b *rendition) int {
	return -cmp.Or(cmp.Compare(bool2int(a.main), bool2int(b.main)), cmp.Compare(bool2int(a.original()), bool2int(b.original())))
}

// better compares by how good pictures look: by their size, then by the rate, weighed by what the codec makes
// of it.
func better(a, b *rendition) int {
	return -cmp.Or(
		cmp.Compare(a.format.Width*a.format.Height, b.format.Width*b.format.Height),
		cmp.Compare(float64(a.rates.said())*efficiency[a.track.Codec], float64(b.rates.said())*efficiency[b.track.Codec]),
	)
}

// efficiency is what a bit is worth in a codec, roughly, against H.264.
var efficiency = map[media.Codec]float64{media.CodecH264: 1, media.CodecHEVC: 1.5, media.CodecAV1: 1.8}

// variant describes r alone.
func (r *rendition) variant() m3u8.Variant {
	v := m3u8.Variant{URI: r.list, Codecs: []string{r.format.Codecs}, StableID: r.name}
	v.Bandwidth, v.AverageBandwidth = r.rates.figures(r)
	if !r.video() {
		return v
	}
	v.Name = r.track.Label
	v.Width, v.Height = r.format.Width, r.format.Height
	v.FrameRate = r.rates.frameRate(r)
	switch r.format.Color.Transfer {
	case transferPQ:
		v.VideoRange = "PQ"
	case transferHLG:
		v.VideoRange = "HLG"
	default:
		v.VideoRange = "SDR"
	}
	return v
}
