package packager

import (
	"strconv"
	"sync/atomic"
	"time"

	"pushcart/media"
	"pushcart/packager/fmp4"
	"pushcart/packager/m3u8"
)

// trackID is the track_ID in every initialization segment: one track each, and the same for good.
const trackID = 1

// rendition turns the units of one track into parts and segments. It stays the same for the whole show,
// whatever the host sends in it.
//
// Decode times are ours to choose as long as presentation times stay exact: the sum of the sample
// durations is the decode time of the next sample, and the composition offset makes up for the rest.
// That is how a part can be closed when its last unit is in, with a guess at how long that one lasts.
type rendition struct {
	p      *Packager
	name   string
	main   bool // the host's first track of its kind, whatever its ID
	track  media.Track
	format media.Format
	init   *initSegment
	inits  int
	idle   bool      // there is no such track at present
	ready  bool      // there has been a part, be it a gap
	begun  bool      // it has its place in the epoch
	fed    bool      // the epoch has had media, so that the configuration can't change
	shown  bool      // in the multivariant playlist
	left   time.Time // when it became idle, or what it is there for went away, by program date-time

	shift      int64 // what is added to DTS, so that a keyframe is decoded when it is presented
	partTarget int64
	minPart    int64

	// The part in the making.
	since     int64 // where the epoch begins
	end       int64 // decode time behind the last sample
	partStart int64
	lastStart int64 // decode time of the last sample
	samples   []fmp4.Sample
	sequence  uint32

	// What is known of the rhythm of the track.
	predicted int64 // how long the newest unit is expected to last
	deltas    [3]int64
	lastTime  int64 // decode time of the unit before, as the host had it
	lastKey   int64

	// Units that wait for the lead, and the boundaries it has set.
	held      []media.AccessUnit
	cuts      []cut
	heldBytes int
	filled    int64 // where the newest gap or silence ends: what belongs before it is late

	stand stand // of video
	step  step  // of video beside the lead
	quiet quiet // of contributed audio

	open     openSegment
	segments []*segment // complete, listed and some that were; replaced, never modified
	nextPart int64
	rates    rates
	dirty    bool
	prefixed string // "epoch/name/"
	list     string // "name.m3u8"
	nextURI  string // of part nextPart
	state    atomic.Pointer[playlist]
}

func newRendition(p *Packager, name string) *rendition {
	r := &rendition{p: p, name: name, prefixed: p.show.Epoch + "/" + name + "/", list: name + ".m3u8"}
	r.open.msn = p.msn
	r.nextURI = r.partURI(0)
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
		r.dirty = len(r.segments) > 0 // it can be hinted
		r.rates.forget()
		r.init = &initSegment{uri: r.uri("init" + strconv.Itoa(r.inits) + ".mp4"), data: data}
	}
	r.track, r.format = t, f
	r.idle, r.begun = false, false
	r.held, r.heldBytes, r.cuts, r.samples = r.held[:0], 0, nil, r.samples[:0]
	r.step, r.quiet, r.stand = step{}, r.newQuiet(), r.newStand()
	r.partTarget = int64(r.p.cfg.Latency.Part) * t.Timescale / int64(time.Second)
	r.minPart = (r.partTarget*85+99)/100 + r.ticks(m3u8.Precision) + 1 // also when it is listed shorter
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

func (r *rendition) uri(file string) string { return r.prefixed + file }

func (r *rendition) partURI(seq int64) string {
	var digits [20]byte
	return r.prefixed + "p" + string(strconv.AppendInt(digits[:0], seq, 10)) + ".m4s"
}

// begin takes the first unit of an epoch, whose segments start at time at.
func (r *rendition) begin(au media.AccessUnit, at int64) {
	r.shift = au.PTS - au.DTS
	r.end = at
	r.since = at
	r.open.start = at
	r.open.discontinuity = r.p.discontinuity
	r.lastTime, r.lastKey = at, at
	r.begun, r.filled = true, at
	r.prefix(r.p.positionTime(at, r.timescale()))
}

// enter places a rendition at the beginning of the segment that the lead has open.
func (r *rendition) enter() {
	l := r.p.lead
	r.begin(media.AccessUnit{}, media.Rescale(l.open.start, l.timescale(), r.timescale()))
	r.open.discontinuity = l.open.discontinuity
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

// skipTo fills the time up to d, where next is, or lists it as a gap, if it is more than a sample can make up for.
func (r *rendition) skipTo(d int64, next *media.AccessUnit) {
	if r.mustSkip(d) {
		r.gapTo(d, next)
	}
}

// mustSkip reports whether a unit at d leaves a hole that neither the part in the making nor the unit itself
// can bridge.
func (r *rendition) mustSkip(d int64) bool {
	end := r.end
	if len(r.samples) > 0 {
		end = r.partStart + r.partTarget
	}
	return d-end+r.predicted > r.partTarget
}

// gapTo fills the time up to d with pictures that repeat the one before, as far as it can, and else lists it as gaps. next
// is the unit at d, nil if it has not come. If it can use them, less than a part is left for it to bridge.
func (r *rendition) gapTo(d int64, next *media.AccessUnit) {
	r.closePart(true)
	if r == r.p.lead && len(r.open.parts) > 0 && r.p.tooLong(r) {
		r.p.forceCut()
	}
	for r.end < d {
		hole := d - r.end
		if len(r.cuts) > 0 && r.cuts[0].at > r.end {
			hole = min(hole, r.cuts[0].at-r.end)
		}
		ticks, stood := min(r.partTarget, hole), 0
		if r.stands() {
			if ticks = r.standTicks(hole); ticks == 0 {
				if !r.endsAt(d, next) {
					return
				}
				ticks = hole
			}
			stood = r.standFor(ticks, next)
		}
		if stood == 0 {
			r.stand.known, r.stand.stuck = false, false
			r.end += ticks
			r.appendPart(part{ticks: ticks, gap: true})
		}
		r.filled = r.end
		if !r.idle && !r.track.Contributed {
			if r.p.stats.Stood += stood; stood == 0 {
				r.p.stats.Gaps++
			}
		}
		switch {
		case r == r.p.lead:
			if r.p.tooLong(r) {
				r.p.forceCut()
			}
		case !r.video():
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
	r.see(au)
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
		Events:   r.events(first),
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
	r.fed = true
	x := part{ticks: r.partTicks(), independent: r.samples[0].Sync}
	size, head := f.Sizes()
	x.data, x.head = f.Append(make([]byte, 0, size)), head
	r.appendPart(x)
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
