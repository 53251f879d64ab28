package packager

import (
	"slices"
	"time"

	"pushcart/media"
	"pushcart/packager/fmp4"
	"pushcart/packager/m3u8"
)

// Marker is a data unit on its way to the viewers: in band, in the playlist, or both.
type Marker struct {
	// PTS is the moment it belongs to, in ticks of the data track.
	PTS int64
	// Event, if not nil, goes into the part that holds PTS, in every video rendition (in the audio if
	// the show has no video). The packager sets its Timescale, PresentationTime and ID.
	Event *fmp4.Event
	// Range, if not nil, is listed in the media playlists that carry Events. If its Start is zero, the
	// packager sets it to the program date-time of PTS.
	Range *m3u8.DateRange
}

// Converter makes a Marker of a unit of data track t, or says that there is none.
type Converter func(t media.Track, au media.AccessUnit) (Marker, bool)

const (
	// maxMarkers bounds the markers that wait for their part; the oldest go first.
	maxMarkers = 1024
	// maxRanges bounds the date ranges of a show; the oldest go first.
	maxRanges = 10_000
)

// data takes a unit of a data track.
func (p *Packager) data(au media.AccessUnit) error {
	t, ok := p.dataTracks[au.Track]
	if !ok || p.convert == nil {
		return nil
	}
	m, ok := p.convert(t, au)
	if !ok {
		return nil
	}
	if m.Event != nil {
		p.eventID++
		for _, r := range p.renditions {
			if r.carriesMarkers() {
				e := *m.Event
				e.Timescale = uint32(r.timescale())
				e.ID = p.eventID
				e.PresentationTime = uint64(max(0, media.Rescale(m.PTS, t.Timescale, r.timescale())))
				r.mark(e)
			}
		}
	}
	if m.Range != nil {
		d := *m.Range
		if d.Start.IsZero() {
			d.Start = p.positionTime(m.PTS, t.Timescale)
		}
		p.ranges.add(d, p.edge())
	}
	return nil
}

// carriesMarkers reports whether events go into r's parts: video has them, and audio where there is none.
func (r *rendition) carriesMarkers() bool {
	return !r.idle && (r.video() || r.p.lead == r)
}

// carriesRanges reports whether date ranges are listed in r's playlist. That does not change when the host
// goes or comes, unlike what r's parts carry.
func (r *rendition) carriesRanges() bool {
	return r.video() || !slices.ContainsFunc(r.p.renditions, (*rendition).video)
}

// mark queues e for the part that holds its time.
func (r *rendition) mark(e fmp4.Event) {
	if len(r.markers) == maxMarkers {
		r.markers = slices.Delete(r.markers, 0, 1)
	}
	i, _ := slices.BinarySearchFunc(r.markers, e.PresentationTime+1, func(x fmp4.Event, t uint64) int {
		if x.PresentationTime < t {
			return -1
		}
		return 1
	})
	r.markers = slices.Insert(r.markers, i, e)
}

// dueMarkers takes the events that belong into the part in the making. One that came too late for its
// own part goes to the beginning of this one: an emsg must lie within its fragment.
func (r *rendition) dueMarkers() []fmp4.Event {
	n := 0
	for n < len(r.markers) && int64(r.markers[n].PresentationTime) < r.end {
		n++
	}
	if n == 0 {
		return nil
	}
	due := slices.Clone(r.markers[:n])
	for i := range due {
		due[i].PresentationTime = max(due[i].PresentationTime, uint64(r.partStart))
	}
	r.markers = slices.Delete(r.markers, 0, n)
	return due
}

// edge is the program date-time of the live edge.
func (p *Packager) edge() time.Time {
	if p.lead == nil {
		return time.Time{}
	}
	return p.positionTime(p.lead.end, p.lead.timescale())
}

// dateRanges is the list of date ranges of a show. Its slices are replaced, never modified, so that
// playlists can share them.
type dateRanges struct {
	listed  []listedRange
	removed []removedRange
}

type listedRange struct {
	m3u8.DateRange
	added time.Time // live edge at that moment
}

type removedRange struct {
	id string
	at time.Time // live edge at that moment
}

// add lists d. A range of the same ID stays; d is a second tag, which may only add attributes
// (rfc8216bis 4.4.5.1).
func (l *dateRanges) add(d m3u8.DateRange, edge time.Time) {
	listed := l.listed
	if len(listed) == maxRanges {
		listed = listed[1:]
	}
	l.listed = append(slices.Clip(listed), listedRange{d, edge})
}

// expire removes the ranges that end before first, the beginning of the window: open ones stay until a
// second tag has closed them. memory is how long removed ids are told in delta updates.
func (l *dateRanges) expire(first, edge time.Time, memory time.Duration) {
	over := make(map[string]bool)
	for _, d := range l.listed {
		if d.Duration >= 0 && d.Start.Add(d.Duration).Before(first) {
			over[d.ID] = true
		}
	}
	if len(over) > 0 {
		kept := make([]listedRange, 0, len(l.listed))
		removed := slices.Clone(l.removed)
		for _, d := range l.listed {
			if over[d.ID] {
				if !slices.ContainsFunc(removed, func(x removedRange) bool { return x.id == d.ID }) {
					removed = append(removed, removedRange{d.ID, edge})
				}
				continue
			}
			kept = append(kept, d)
		}
		l.listed, l.removed = kept, removed
	}
	old := 0
	for old < len(l.removed) && edge.Sub(l.removed[old].at) > memory {
		old++
	}
	l.removed = l.removed[old:]
}
