package packager

import (
	"fmt"
	"strconv"
	"time"

	"pushcart/media"
	"pushcart/packager/m3u8"
)

// part is a partial segment. Values are immutable once they are in a segment.
type part struct {
	seq         int64 // running number in the rendition, part of its URI
	uri         string
	duration    time.Duration
	listed      time.Duration // as the playlist has it
	ticks       int64
	independent bool
	gap         bool
	data        []byte
	head        int // bytes of data before the moof
}

// segment is a complete segment, immutable.
type segment struct {
	msn           int64
	uri           string
	duration      time.Duration
	start         time.Time // program date-time of its first instant
	discontinuity bool
	gap           bool // there is nothing in it but gaps
	init          *initSegment
	parts         []part
	size          int64
	frameRate     float64 // of its media, gaps aside
}

// initSegment is an initialization segment, immutable.
type initSegment struct {
	uri  string
	data []byte
}

// openSegment is the segment in progress. Its parts are only ever appended to.
type openSegment struct {
	msn           int64
	start, ticks  int64
	discontinuity bool
	parts         []part
	samples       int   // of the host's
	stood         int64 // ticks of the parts that others stand in for
}

// frameRate is the number of samples a second in what there is of the segment, zero if there is none.
func (o *openSegment) frameRate(timescale int64) float64 {
	ticks := -o.stood
	for _, x := range o.parts {
		if !x.gap {
			ticks += x.ticks
		}
	}
	if ticks <= 0 {
		return 0
	}
	return float64(o.samples) * float64(timescale) / float64(ticks)
}

// appendPart publishes a part: behind the others of the open segment, with the next number.
func (r *rendition) appendPart(x part) {
	x.seq = r.nextPart
	x.uri = r.nextURI
	x.duration = media.Duration(x.ticks, r.timescale())
	x.listed = listedTime(r.open.ticks+x.ticks, r.timescale()) - listedTime(r.open.ticks, r.timescale())
	r.nextPart++
	r.nextURI = r.partURI(r.nextPart)
	r.ready = true
	r.step.live = r.step.awake && (r.step.live || !x.gap)
	r.open.parts = append(r.open.parts, x)
	r.open.ticks += x.ticks
	r.dirty = true
}

// listedTime is a time in the precision that playlists have. A part is listed as the difference of two, so that
// the parts of a segment are as long as the segment to the last digit. hls.js 1.7.4, when it changes to a level,
// otherwise finds no part for the last microseconds of a segment, and waits.
func listedTime(ticks, timescale int64) time.Duration {
	return media.Duration(ticks, timescale).Round(m3u8.Precision)
}

// closeSegment completes the open segment, which has no part in the making. Without any part, it is a gap.
func (r *rendition) closeSegment() *segment {
	o := &r.open
	file := "gap"
	if len(o.parts) > 0 {
		file = ""
	}
	s := &segment{
		msn:           o.msn,
		uri:           r.uri(file + strconv.FormatInt(o.msn, 10) + ".m4s"),
		duration:      media.Duration(o.ticks, r.timescale()),
		start:         r.p.positionTime(o.start, r.timescale()),
		discontinuity: o.discontinuity,
		gap:           true,
		init:          r.init,
		parts:         o.parts,
		frameRate:     o.frameRate(r.timescale()),
	}
	for _, x := range s.parts {
		s.size += int64(len(x.data))
		s.gap = s.gap && x.gap
	}
	r.append(s)
	r.ready = true
	r.p.raiseTarget(s.duration)
	r.p.redescribe = r.p.redescribe || r.shown
	return s
}

// gapSegment appends a segment for which there is no media, as long as like, which another rendition has
// with the same number.
func (r *rendition) gapSegment(like *segment) {
	start := like.start
	if n := len(r.segments); n > 0 && !like.discontinuity {
		start = r.segments[n-1].start.Add(r.segments[n-1].duration)
	}
	r.append(&segment{
		msn:           like.msn,
		uri:           r.uri(fmt.Sprintf("gap%d.m4s", like.msn)),
		duration:      like.duration,
		start:         start,
		discontinuity: like.discontinuity,
		gap:           true,
		init:          r.init,
	})
}

// append publishes s, forgets those that nobody may ask for any more, and opens the next segment.
func (r *rendition) append(s *segment) {
	keep := r.retained()
	r.segments = append(append(make([]*segment, 0, len(keep)+1), keep...), s)
	r.rates.add(s)
	r.open = openSegment{msn: s.msn + 1, start: r.end, parts: make([]part, 0, 8)}
	r.dirty = true
}

// retained returns the segments that can still be fetched: those that are listed, and of the others the
// newest, retention of them.
func (r *rendition) retained() []*segment {
	i := len(r.segments) - len(r.listed(r.p.firstMSN))
	for d := time.Duration(0); i > 0 && d < r.p.retention(); i-- {
		d += r.segments[i-1].duration
	}
	return r.segments[i:]
}

// length is how long segments last together.
func length(segments []*segment) (d time.Duration) {
	for _, s := range segments {
		d += s.duration
	}
	return d
}

// prefix puts gaps before the first segment of the show, which begins at start, so that the playlist is as
// long as players demand from its first version on (Apple's authoring rule 8.11; hls.js wants one complete
// segment).
func (r *rendition) prefix(start time.Time) {
	if len(r.segments) > 0 {
		return
	}
	each := r.p.cfg.Latency.Segment
	first := r.open.msn - minListed
	for i := range int64(minListed) {
		r.segments = append(r.segments, &segment{
			msn:      first + i,
			uri:      r.uri(fmt.Sprintf("gap%d.m4s", first+i)),
			duration: each,
			start:    start.Add(-time.Duration(minListed-i) * each),
			gap:      true,
			init:     r.init,
		})
	}
}

// mirror gives a rendition that joins later the past that another one has, as gaps.
func (r *rendition) mirror(other *rendition) {
	for _, s := range other.listed(r.p.firstMSN) {
		r.gapSegment(s)
	}
}

// listed returns the complete segments from number first on.
func (r *rendition) listed(first int64) []*segment {
	if len(r.segments) == 0 {
		return nil
	}
	return r.segments[max(0, min(first-r.segments[0].msn, int64(len(r.segments)))):]
}
