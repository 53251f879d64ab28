package packager

import (
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"pushcart/packager/m3u8"
)

// playlist is what has been published of a rendition: an immutable snapshot. The parts and segments that
// it names are in it, so that whoever sees one sees the other.
type playlist struct {
	epoch   string
	name    string
	version int64 // counts the snapshots of the rendition
	latency Latency
	target  int // seconds

	segments []*segment // complete; the first few may have left the playlist
	listed   []*segment // the tail of segments that the playlist names
	open     openSegment
	init     *initSegment
	inParts  int64     // the first segment whose parts are listed
	start    time.Time // of the open segment
	dsn      int64
	nextPart int64
	nextURI  string
	reports  []m3u8.RenditionReport // of all renditions that are offered, this one perhaps among them
	ranges   dateRanges
	ended    bool

	independent bool

	gone bool // forgotten, for good

	superseded chan struct{} // closed when there is a newer snapshot
	documents  [3]Document   // by Skip
	keys       *Document     // the playlist of key pictures; nil for audio
}

// publish makes the rendition's present state visible and wakes those who wait for it.
func (r *rendition) publish() {
	p := r.p
	old := r.state.Load()
	pl := &playlist{
		name:        r.name,
		latency:     p.cfg.Latency,
		target:      p.targetDuration,
		segments:    r.segments,
		listed:      r.listed(p.firstMSN),
		open:        r.open,
		init:        r.init,
		start:       p.positionTime(r.open.start, r.timescale()),
		dsn:         p.dsn,
		nextPart:    r.nextPart,
		nextURI:     r.nextURI,
		reports:     p.reports,
		ended:       p.ended,
		independent: !p.dependent,
		superseded:  make(chan struct{}),
	}
	if r.carriesRanges() {
		pl.ranges = p.cues.ranges
	}
	pl.inParts = pl.partsFrom()
	if old != nil {
		pl.version = old.version + 1
		pl.inParts = max(pl.inParts, old.inParts)
	}
	pl.epoch = p.show.Epoch
	for skip := range pl.documents {
		pl.documents[skip].list, pl.documents[skip].what = pl, text(skip)
	}
	if r.video() {
		pl.keys = pl.keyDocument(old)
	}
	r.state.Store(pl)
	if old != nil {
		close(old.superseded)
	}
}

// report makes p.reports say where the renditions that are offered have got to.
func (p *Packager) report() {
	reports := make([]m3u8.RenditionReport, 0, len(p.renditions))
	for _, r := range p.renditions {
		if r.shown {
			msn, part := r.position()
			reports = append(reports, m3u8.RenditionReport{URI: r.list, LastMSN: msn, LastPart: part})
		}
	}
	p.reports = reports
}

// otherReports are those of the other renditions (rfc8216bis 4.4.5.4).
func (pl *playlist) otherReports() []m3u8.RenditionReport {
	others := make([]m3u8.RenditionReport, 0, len(pl.reports))
	for _, x := range pl.reports {
		if name, _ := strings.CutSuffix(x.URI, ".m3u8"); name != pl.name {
			others = append(others, x)
		}
	}
	return others
}

// position is the newest part there is: its segment and its index in that.
func (r *rendition) position() (msn int64, part int) {
	if n := len(r.open.parts); n > 0 {
		return r.open.msn, n - 1
	}
	msn = r.open.msn - 1
	if n := len(r.segments); n > 0 {
		return msn, len(r.segments[n-1].parts) - 1
	}
	return msn, -1
}

// last is the number of the newest segment that the playlist has anything of.
func (pl *playlist) last() int64 {
	if len(pl.open.parts) > 0 {
		return pl.open.msn
	}
	return pl.open.msn - 1
}

// contains reports whether the playlist has part part of segment msn, or something later
// (rfc8216bis 6.2.5.2). A negative part stands for the whole segment.
func (pl *playlist) contains(msn int64, part int) bool {
	if msn < pl.open.msn && part >= 0 && len(pl.segments) > 0 {
		// A part behind the end of a complete segment means the first one of the next.
		i := msn - pl.segments[0].msn
		if i >= 0 && i < int64(len(pl.segments)) && part >= len(pl.segments[i].parts) {
			msn, part = msn+1, 0
		}
	}
	if msn != pl.open.msn {
		return msn < pl.open.msn
	}
	return part >= 0 && part < len(pl.open.parts)
}

// tooFar reports whether a position is so far ahead that the request must be a mistake.
func (pl *playlist) tooFar(msn int64, part int) bool {
	last := pl.last()
	if msn > last+2 {
		return true
	}
	limit := 3
	if pl.latency.Part < time.Second {
		limit = int(math.Ceil(3 / pl.latency.Part.Seconds()))
	}
	switch {
	case msn == pl.open.msn:
		return part > len(pl.open.parts)-1+limit
	case msn > pl.open.msn:
		return part > limit
	}
	return false
}

func (pl *playlist) targetDuration() time.Duration { return time.Duration(pl.target) * time.Second }

// skipUntil is CAN-SKIP-UNTIL: at least six target durations (rfc8216bis 4.4.3.8).
func (pl *playlist) skipUntil() time.Duration { return 6 * pl.targetDuration() }

// partsFrom is the number of the first segment that is no more than three target durations from the end: of older ones, no
// parts are listed (rfc8216bis 4.4.4.9). What has not been listed does not come back with a longer target duration, either
// (6.2.1): hls.js 1.7.4 would forget which parts it has.
func (pl *playlist) partsFrom() int64 {
	msn, after := pl.open.msn, time.Duration(0)
	for _, x := range pl.open.parts {
		after += x.duration
	}
	for i := len(pl.listed) - 1; i >= 0 && after <= 3*pl.targetDuration(); i-- {
		msn = pl.listed[i].msn
		after += pl.listed[i].duration
	}
	return msn
}

// length is how long the playlist lasts.
func (pl *playlist) length() time.Duration {
	d := length(pl.listed)
	for _, x := range pl.open.parts {
		d += x.duration
	}
	return d
}

// render writes the playlist.
func (pl *playlist) render(skip Skip) []byte {
	m := m3u8.Media{
		Version:               6, // EXT-X-MAP in a playlist that is not I-frames only
		TargetDuration:        pl.target,
		PartTarget:            pl.latency.Part,
		HoldBack:              3 * pl.targetDuration(),
		PartHoldBack:          pl.latency.HoldBack,
		CanSkipUntil:          pl.skipUntil(),
		MediaSequence:         pl.open.msn - int64(len(pl.listed)),
		DiscontinuitySequence: pl.dsn,
		IndependentSegments:   pl.independent,
		Segments:              make([]m3u8.Segment, len(pl.listed)),
		Reports:               pl.otherReports(),
		EndList:               pl.ended,
	}
	after := pl.length()
	skipped := 0
	var since time.Time // what was added before, everybody has who has what is skipped
	for i, s := range pl.listed {
		after -= s.duration
		m.Segments[i] = m3u8.Segment{
			URI:           s.uri,
			Duration:      s.duration,
			Discontinuity: s.discontinuity,
			Map:           s.init.uri,
			ProgramDate:   s.start,
			Gap:           s.gap,
		}
		if s.msn >= pl.inParts {
			m.Segments[i].Parts = partLines(s.parts)
		}
		if after > pl.skipUntil() {
			skipped, since = i+1, s.start
		}
	}
	if !pl.ended {
		m.Open = m3u8.Segment{Discontinuity: pl.open.discontinuity, Map: pl.init.uri, ProgramDate: pl.start, Parts: partLines(pl.open.parts)}
		m.PreloadPart = pl.nextURI
		if n := len(pl.listed); n > 0 && len(pl.open.parts) == 0 && pl.listed[n-1].init != pl.init {
			m.PreloadMap = pl.init.uri
		}
	}
	withRanges := pl.listRanges(&m, time.Time{})
	if skip != SkipNone && skipped > 0 && !pl.ended {
		m.Skip = &m3u8.Skip{Segments: skipped}
		m.Version = 9
		if skip == SkipDateRanges {
			m.Version = 10
			m.Skip.V2 = true
			withRanges = pl.listRanges(&m, since)
			for _, x := range pl.ranges.removed {
				m.Skip.Removed = append(m.Skip.Removed, x.id)
			}
		}
	}
	return m.Append(make([]byte, 0, 1024+128*len(m.Segments)+96*(len(m.Open.Parts)+30)+256*withRanges))
}

// listRanges puts the date ranges that were added after since into m and returns how many.
func (pl *playlist) listRanges(m *m3u8.Media, since time.Time) int {
	m.DateRanges = m.DateRanges[:0]
	for _, d := range pl.ranges.listed {
		if !d.added.Before(since) {
			m.DateRanges = append(m.DateRanges, d.DateRange)
		}
	}
	return len(m.DateRanges)
}

func partLines(parts []part) []m3u8.Part {
	lines := make([]m3u8.Part, len(parts))
	for i, x := range parts {
		lines[i] = m3u8.Part{URI: x.uri, Duration: x.listed, Independent: x.independent, Gap: x.gap}
	}
	return lines
}

// object finds a file of the rendition by the last element of its URI. wait is true if it is the part
// that comes next.
func (pl *playlist) object(file string) (o Object, found, wait bool) {
	o.ContentType = "video/mp4"
	if pl.name[0] == 'a' {
		o.ContentType = "audio/mp4"
	}
	ext := path.Ext(file)
	base := file[:len(file)-len(ext)]
	switch {
	case ext == ".mp4":
		found = pl.initObject(&o, file)
	case ext != ".m4s" || base == "":
	case base[0] == 'p':
		seq, err := strconv.ParseInt(base[1:], 10, 64)
		if err == nil && base[1:] == strconv.FormatInt(seq, 10) {
			if seq == pl.nextPart && !pl.ended {
				return o, false, true
			}
			found = pl.partObject(&o, seq)
		}
	default:
		msn, err := strconv.ParseInt(base, 10, 64)
		if err == nil && base == strconv.FormatInt(msn, 10) {
			found = pl.segmentObject(&o, msn)
		}
	}
	return o, found, false
}

func (pl *playlist) initObject(o *Object, file string) bool {
	found := func(i *initSegment) bool {
		if i == nil || path.Base(i.uri) != file {
			return false
		}
		o.Chunks, o.Size = [][]byte{i.data}, int64(len(i.data))
		return true
	}
	if found(pl.init) {
		return true
	}
	for _, s := range pl.segments {
		if found(s.init) {
			return true
		}
	}
	return false
}

func (pl *playlist) partObject(o *Object, seq int64) bool {
	find := func(parts []part) bool {
		if len(parts) == 0 || seq < parts[0].seq || seq > parts[len(parts)-1].seq {
			return false
		}
		x := parts[seq-parts[0].seq]
		o.Chunks, o.Size = [][]byte{x.data}, int64(len(x.data))
		return !x.gap
	}
	if find(pl.open.parts) {
		return true
	}
	for i := len(pl.segments) - 1; i >= 0; i-- {
		if find(pl.segments[i].parts) {
			return true
		}
	}
	return false
}

func (pl *playlist) segmentObject(o *Object, msn int64) bool {
	if len(pl.segments) == 0 {
		return false
	}
	i := msn - pl.segments[0].msn
	if i < 0 || i >= int64(len(pl.segments)) || pl.segments[i].gap {
		return false
	}
	s := pl.segments[i]
	o.Chunks = make([][]byte, 0, len(s.parts))
	for _, x := range s.parts {
		if !x.gap {
			o.Chunks = append(o.Chunks, x.data)
		}
	}
	o.Size = s.size
	return true
}
