package packager

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"pushcart/media"
	"pushcart/packager/fmp4"
)

// trackID is the track_ID in every initialization segment: one track each, and the same for good.
const trackID = 1

// maxHeld bounds the units that wait for the lead; the oldest go first.
const maxHeld = 4096

// part is a partial segment. Values are immutable once they are in a segment.
type part struct {
	seq         int64 // running number in the rendition, part of its URI
	uri         string
	duration    time.Duration
	ticks       int64
	independent bool
	gap         bool
	data        []byte
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
	samples       int
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
	samples       int
}

// rendition turns the units of one track into parts and segments. It stays the same for the whole show,
// whatever the host sends in it.
//
// Decode times are ours to choose as long as presentation times stay exact: the sum of the sample
// durations is the decode time of the next sample, and the composition offset makes up for the rest.
// That is how a part can be closed when its last unit is in, with a guess at how long that one lasts.
type rendition struct {
	p      *Packager
	name   string
	track  media.Track
	format media.Format
	init   *initSegment
	inits  int
	idle   bool // the host sends no such track at present
	begun  bool // the epoch has had a unit

	shift      int64 // what is added to DTS, so that a keyframe is decoded when it is presented
	partTarget int64
	minPart    int64

	// The part in the making.
	end       int64 // decode time behind the last sample
	partStart int64
	lastStart int64 // decode time of the last sample
	samples   []fmp4.Sample
	markers   []fmp4.Event // to come, by time
	sequence  uint32

	// What is known of the rhythm of the track.
	predicted int64 // how long the newest unit is expected to last
	deltas    [3]int64
	lastTime  int64 // decode time of the unit before, as the host had it
	lastKey   int64

	// Units that wait for the lead, and the boundaries it has set.
	held []media.AccessUnit
	cuts []int64

	open     openSegment
	segments []*segment // complete, listed and some that were; replaced, never modified
	nextPart int64
	rates    rates
	dirty    bool
	state    atomic.Pointer[playlist]
}

func newRendition(p *Packager, name string) *rendition {
	r := &rendition{p: p, name: name}
	r.open.msn = p.msn
	return r
}

func (r *rendition) timescale() int64            { return r.track.Timescale }
func (r *rendition) video() bool                 { return r.track.Kind() == media.KindVideo }
func (r *rendition) ticks(d time.Duration) int64 { return media.Ticks(d, r.timescale()) }
func (r *rendition) openTicks() int64            { return r.open.ticks + r.partTicks() }

// partTicks is how long the part in the making is.
func (r *rendition) partTicks() int64 {
	if len(r.samples) == 0 {
		return 0
	}
	return r.end - r.partStart
}

// setTrack prepares the rendition for the units of an epoch.
func (r *rendition) setTrack(t media.Track, f media.Format) error {
	if r.init == nil || !r.track.SameConfig(t) {
		data, err := fmp4.Init(t, f, trackID)
		if err != nil {
			return err
		}
		r.inits++
		r.init = &initSegment{uri: r.uri("init" + strconv.Itoa(r.inits) + ".mp4"), data: data}
	}
	r.track, r.format = t, f
	r.idle, r.begun = false, false
	r.held, r.cuts, r.samples = r.held[:0], nil, r.samples[:0]
	r.partTarget = int64(r.p.cfg.Latency.Part.Seconds() * float64(t.Timescale))
	r.minPart = (r.partTarget*85 + 99) / 100
	r.predicted = r.nominal()
	r.deltas = [3]int64{r.predicted, r.predicted, r.predicted}
	return nil
}

// nominal is how long a unit lasts as far as the track's description tells.
func (r *rendition) nominal() int64 {
	rate := 30.0
	switch {
	case r.format.FrameSamples > 0:
		return media.Rescale(int64(r.format.FrameSamples), int64(r.format.SampleRate), r.timescale())
	case !r.video():
		return r.ticks(20 * time.Millisecond)
	case r.track.FrameRate > 1:
		rate = r.track.FrameRate
	case r.format.FrameRate > 1 && r.format.FrameRate <= 240:
		rate = r.format.FrameRate
	}
	return max(1, int64(float64(r.timescale())/rate+0.5))
}

func (r *rendition) uri(file string) string {
	return r.p.show.Epoch + "/" + r.name + "/" + file
}

func (r *rendition) partURI(seq int64) string {
	return r.uri("p" + strconv.FormatInt(seq, 10) + ".m4s")
}

// begin takes the first unit of an epoch, whose segments start at time at.
func (r *rendition) begin(au media.AccessUnit, at int64) {
	r.shift = au.PTS - au.DTS
	r.end = at
	r.open.start = at
	r.open.discontinuity = r.p.discontinuity
	r.lastTime, r.lastKey = at, at
	r.begun = true
	r.prefix(r.p.positionTime(at, r.timescale()))
}

func (r *rendition) decodeTime(au media.AccessUnit) int64 { return au.DTS + r.shift }

// settle lets the last sample that is not out yet last until d, as far as its part has room.
func (r *rendition) settle(d int64) {
	n := len(r.samples)
	if n == 0 {
		return
	}
	r.end = min(max(d, r.lastStart+1), r.partStart+r.partTarget)
	r.samples[n-1].Duration = uint32(r.end - r.lastStart)
}

// skipTo lists the time up to d as a gap, if it is more than a sample can make up for.
func (r *rendition) skipTo(d int64) {
	if d-r.end+r.predicted <= r.partTarget {
		return
	}
	r.gapTo(d)
}

// gapTo lists the time up to d as gaps.
func (r *rendition) gapTo(d int64) {
	r.closePart(true)
	for r.end < d {
		ticks := min(r.partTarget, d-r.end)
		if len(r.cuts) > 0 && r.cuts[0] > r.end {
			ticks = min(ticks, r.cuts[0]-r.end)
		}
		r.end += ticks
		r.appendPart(part{ticks: ticks, gap: true})
		r.p.stats.Gaps++
		if r == r.p.lead {
			if r.p.tooLong(r) {
				r.p.cutLead()
			}
		} else {
			r.followCuts(r.end)
		}
	}
}

// makeRoom closes the part if au would make it too long.
func (r *rendition) makeRoom(au media.AccessUnit, d int64) {
	if len(r.samples) > 0 && d+r.expect(au, d) > r.partStart+r.partTarget {
		r.closePart(false)
	}
}

// expect guesses how long au is going to last: exactly for audio; for video, the middle one of the last
// three distances, so that a single odd frame does not spoil the guess.
func (r *rendition) expect(au media.AccessUnit, d int64) int64 {
	if !r.video() {
		if r.track.Codec == media.CodecOpus {
			if t := r.ticks(media.OpusDuration(au.Data)); t > 0 {
				return t
			}
		}
		return r.predicted
	}
	a, b, c := r.deltas[1], r.deltas[2], d-r.lastTime
	if c <= 0 {
		c = b
	}
	return max(min(a, b), min(max(a, b), c))
}

// add appends au, whose decode time by the host's clock is d, to the part in the making.
func (r *rendition) add(au media.AccessUnit, d int64) {
	r.predicted = r.expect(au, d)
	if delta := d - r.lastTime; delta > 0 {
		r.deltas = [3]int64{r.deltas[1], r.deltas[2], delta}
	}
	r.lastTime = d
	if au.RandomAccess {
		r.lastKey = d
	}
	if len(r.samples) == 0 {
		r.partStart = r.end
	}
	start := r.end
	r.end = min(max(d+r.predicted, start+1), max(r.partStart+r.partTarget, start+1))
	r.lastStart = start
	r.samples = append(r.samples, fmp4.Sample{
		Duration:          uint32(r.end - start),
		CompositionOffset: int32(au.PTS - start),
		Sync:              au.RandomAccess,
		Data:              au.Data,
	})
}

// partFull reports whether another unit like the last one would make the part too long.
func (r *rendition) partFull() bool {
	return len(r.samples) > 0 && r.partTicks()+r.predicted > r.partTarget
}

// closePart makes the pending samples a part. Unless it is the last before a boundary or a gap, a part
// that would be too short (rfc8216bis 4.4.4.9: 85 % of the target) is lengthened: the next one starts
// later, by decode time.
func (r *rendition) closePart(last bool) {
	n := len(r.samples)
	if n == 0 {
		return
	}
	if !last && r.partTicks() < r.minPart {
		r.end = r.partStart + r.minPart
		r.samples[n-1].Duration = uint32(r.end - r.lastStart)
	}
	r.sequence++
	first := len(r.open.parts) == 0
	f := fmp4.Fragment{
		Styp:     first,
		Sequence: r.sequence,
		TrackID:  trackID,
		BaseTime: uint64(r.partStart),
		Video:    r.video(),
		Events:   r.dueMarkers(),
		Samples:  r.samples,
	}
	if first {
		f.PRFT = &fmp4.ProducerTime{
			NTP:       ntpTime(r.p.positionTime(r.partStart, r.timescale())),
			MediaTime: uint64(r.partStart),
			Flags:     fmp4.ProducerTimeConsistent,
		}
	}
	r.open.samples += n
	r.appendPart(part{
		ticks:       r.partTicks(),
		independent: r.samples[0].Sync,
		data:        f.Append(make([]byte, 0, f.Size())),
	})
	clear(r.samples) // let go of the units' bytes
	r.samples = r.samples[:0]
}

// ntpBegin is the zero of NTP time.
var ntpBegin = time.Date(1900, time.January, 1, 0, 0, 0, 0, time.UTC)

// ntpTime converts t to 32.32 fixed-point seconds since 1900 (RFC 5905 section 6).
func ntpTime(t time.Time) uint64 {
	seconds := t.Unix() - ntpBegin.Unix()
	return uint64(seconds)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

func (r *rendition) appendPart(x part) {
	x.seq = r.nextPart
	x.uri = r.partURI(x.seq)
	x.duration = media.Duration(x.ticks, r.timescale())
	r.nextPart++
	r.open.parts = append(r.open.parts, x)
	r.open.ticks += x.ticks
	r.dirty = true
}

// closeSegment completes the open segment, which has at least one part and none in the making.
func (r *rendition) closeSegment() *segment {
	o := &r.open
	s := &segment{
		msn:           o.msn,
		uri:           r.uri(strconv.FormatInt(o.msn, 10) + ".m4s"),
		duration:      media.Duration(o.ticks, r.timescale()),
		start:         r.p.positionTime(o.start, r.timescale()),
		discontinuity: o.discontinuity,
		gap:           true,
		init:          r.init,
		parts:         o.parts,
		samples:       o.samples,
	}
	for _, x := range s.parts {
		s.size += int64(len(x.data))
		s.gap = s.gap && x.gap
	}
	r.append(s)
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
	keep := r.segments
	for len(keep) > 0 && keep[0].msn < r.p.firstMSN && s.start.Sub(keep[0].start) > r.p.retention() {
		keep = keep[1:]
	}
	r.segments = append(append(make([]*segment, 0, len(keep)+1), keep...), s)
	r.rates.add(s)
	r.open = openSegment{msn: s.msn + 1, start: r.end, parts: make([]part, 0, 8)}
	r.dirty = true
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

// hold queues a unit until the lead has got as far.
func (r *rendition) hold(au media.AccessUnit) {
	if len(r.held) == maxHeld {
		r.held = r.held[1:]
	}
	r.held = append(r.held, au)
}

func (r *rendition) newestHeld() (int64, bool) {
	if len(r.held) == 0 {
		return 0, false
	}
	return r.held[len(r.held)-1].PTS, true
}

// drain packages the held units that begin before horizon: no boundary can come up in front of them.
func (r *rendition) drain(horizon int64) {
	i := 0
	for i < len(r.held) && r.held[i].PTS+r.predicted/2 < horizon {
		r.follow(r.held[i])
		i++
	}
	n := copy(r.held, r.held[i:])
	clear(r.held[n:])
	r.held = r.held[:n]
}

// follow takes a unit of a rendition that is not the lead.
func (r *rendition) follow(au media.AccessUnit) {
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
	r.settle(d)
	r.followCuts(d)
	r.skipTo(d)
	r.makeRoom(au, d)
	r.add(au, d)
	if r.partFull() {
		r.closePart(false)
	}
	r.followCuts(r.end)
}

// followCuts ends the open segment at the boundaries that the lead has set up to time d, to the nearest
// unit.
func (r *rendition) followCuts(d int64) {
	for len(r.cuts) > 0 && d+r.predicted/2 >= r.cuts[0] {
		r.closePart(true)
		if len(r.open.parts) == 0 {
			return
		}
		r.closeSegment()
		r.cuts = r.cuts[1:]
	}
}

// giveUp lists gaps for a track that lags too far behind the lead.
func (r *rendition) giveUp() {
	for len(r.cuts) > maxCuts {
		if !r.begun {
			r.begin(media.AccessUnit{}, media.Rescale(r.p.epochStart, r.p.lead.timescale(), r.timescale()))
		}
		n, to := len(r.cuts), r.cuts[0]
		r.settle(to)
		r.gapTo(to)
		r.followCuts(to)
		if len(r.cuts) == n { // it has run ahead of a boundary without any media behind the last one
			r.gapSegment(r.p.lead.segments[len(r.p.lead.segments)-n])
			r.cuts = r.cuts[1:]
		}
	}
}

// flush packages all that is held and closes the part.
func (r *rendition) flush() {
	if r.idle {
		return
	}
	if r.p.started {
		for _, au := range r.held {
			r.follow(au)
		}
	}
	clear(r.held)
	r.held = r.held[:0]
	r.closePart(true)
	r.cuts = nil
}
