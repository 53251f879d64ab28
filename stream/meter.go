package stream

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pushcart/media"
)

var errNotBack = errors.New("the host did not come back within the reconnect window")

const (
	// meterSpan is the media time over which rates are measured.
	meterSpan = 4 * time.Second
	// maxRemarks bounds the remarks that are kept; the oldest go first.
	maxRemarks = 10
)

// Status is what the operator can know about a show.
type Status struct {
	Name, Epoch string
	State       State
	Since       time.Time // when the state began
	Start       time.Time // when the show began
	Source      Source    // of the present host, or the last one
	Sessions    int       // connections that have published so far
	Bytes       int64     // of all access units
	Tracks      []TrackStatus
	Repairs     map[string]int64 // what had to be mended, by kind
	Remarks     []Remark         // the last few sentences about the show, oldest first

	Contributors []Contributor // by role
}

// Contributor is who contributes to a show.
type Contributor struct {
	Contribution
	Source Source
	Since  time.Time // when it joined
	Tracks []int     // IDs of its tracks that are in the epoch
}

// TrackStatus is what is measured of a track.
type TrackStatus struct {
	Track     media.Track
	BitRate   float64       // bits a second, over the last few seconds
	UnitRate  float64       // units a second: frames for video
	GOP       time.Duration // between the last two keyframes; video only
	LastUnits time.Duration // media time of the newest unit
}

// Remark is a sentence about a show.
type Remark struct {
	At   time.Time
	Text string
}

// meter measures a show. The stream's lock guards it.
type meter struct {
	sessions int
	bytes    int64
	tracks   map[int]*trackMeter
	order    []int
	repairs  map[string]int64
	kinds    map[string]int
	remarks  []Remark
}

type trackMeter struct {
	TrackStatus
	spanStart int64 // DTS
	bytes     int64
	units     int64
	lastKey   int64
	keyed     bool
	begun     bool
}

func newMeter() meter {
	return meter{tracks: make(map[int]*trackMeter), repairs: make(map[string]int64), kinds: make(map[string]int)}
}

func (m *meter) begin(tracks []media.Track) {
	clear(m.tracks)
	m.order = m.order[:0]
	m.join(tracks)
}

// join adds tracks to those that are measured.
func (m *meter) join(tracks []media.Track) {
	for _, t := range tracks {
		if m.tracks[t.ID] == nil {
			m.order = append(m.order, t.ID)
		}
		m.tracks[t.ID] = &trackMeter{TrackStatus: TrackStatus{Track: t}}
	}
}

// leave removes tracks from those that are measured.
func (m *meter) leave(tracks []media.Track) {
	for _, t := range tracks {
		delete(m.tracks, t.ID)
	}
	m.order = slices.DeleteFunc(m.order, func(id int) bool { return m.tracks[id] == nil })
}

// unit counts au. It returns its media time, and whether it is audio or video.
func (m *meter) unit(au media.AccessUnit) (at time.Duration, isMedia bool) {
	t := m.tracks[au.Track]
	if t == nil {
		return 0, false
	}
	m.bytes += int64(len(au.Data))
	scale := t.Track.Timescale
	if !t.begun {
		t.begun = true
		t.spanStart = au.DTS
	}
	if span := au.DTS - t.spanStart; span >= media.Ticks(meterSpan, scale) {
		seconds := float64(span) / float64(scale)
		t.BitRate = 8 * float64(t.bytes) / seconds
		t.UnitRate = float64(t.units) / seconds
		t.spanStart, t.bytes, t.units = au.DTS, 0, 0
	}
	t.bytes += int64(len(au.Data))
	t.units++
	if au.RandomAccess && t.Track.Kind() == media.KindVideo {
		if t.keyed {
			t.GOP = media.Duration(au.DTS-t.lastKey, scale)
		}
		t.lastKey, t.keyed = au.DTS, true
	}
	t.LastUnits = media.Duration(au.DTS, scale)
	return t.LastUnits, t.Track.Kind() != media.KindData
}

// composition is how much later than it is decoded a unit of a known track is presented.
func (m *meter) composition(au media.AccessUnit) time.Duration {
	return media.Duration(au.PTS-au.DTS, m.tracks[au.Track].Track.Timescale)
}

func (m *meter) remark(text string) {
	if n := len(m.remarks); n > 0 && m.remarks[n-1].Text == text {
		m.remarks[n-1].At = time.Now()
		return
	}
	if len(m.remarks) == maxRemarks {
		m.remarks = slices.Delete(m.remarks, 0, 1)
	}
	m.remarks = append(m.remarks, Remark{time.Now(), text})
}

// Status returns what is known of the show now. The caller owns it.
func (s *Stream) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{
		Name: s.name, Epoch: s.epoch, State: s.state, Since: s.since, Start: s.start.Add(head),
		Source: s.source, Sessions: s.meter.sessions, Bytes: s.meter.bytes,
		Repairs: maps.Clone(s.meter.repairs),
		Remarks: slices.Clone(s.meter.remarks),
	}
	for _, id := range s.meter.order {
		st.Tracks = append(st.Tracks, s.meter.tracks[id].TrackStatus)
	}
	for _, p := range s.contributors() {
		c := Contributor{Contribution: p.Contribution, Source: p.src, Since: p.since}
		for _, t := range p.tracks {
			c.Tracks = append(c.Tracks, t.ID)
		}
		st.Contributors = append(st.Contributors, c)
	}
	return st
}

// describe says in one line what the tracks are.
func describe(tracks []media.Track) string {
	var b strings.Builder
	for _, t := range tracks {
		if t.Kind() == media.KindData {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		f, err := media.ParseConfig(t)
		switch {
		case err != nil:
			b.WriteString(string(t.Codec))
		case t.Kind() == media.KindVideo:
			fmt.Fprintf(&b, "%s %dx%d", f.Codecs, f.Width, f.Height)
		default:
			fmt.Fprintf(&b, "%s %d Hz, %d channels", cmp.Or(f.Codecs, string(t.Codec)), f.SampleRate, f.Channels)
		}
	}
	return b.String()
}
