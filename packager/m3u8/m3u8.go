// Package m3u8 is playlists as data, and their text (draft-pantos-hls-rfc8216bis-22).
package m3u8

import "time"

// Media is a media playlist.
type Media struct {
	Version               int
	TargetDuration        int           // seconds
	PartTarget            time.Duration // zero: no low-latency tags at all
	HoldBack              time.Duration
	PartHoldBack          time.Duration
	CanSkipUntil          time.Duration
	MediaSequence         int64
	DiscontinuitySequence int64
	IndependentSegments   bool
	// Skip, if not nil, makes this a delta update: it stands in place of the first Skip.Segments of
	// Segments, which the writer leaves out.
	Skip     *Skip
	Segments []Segment
	// Open is the segment in progress: its URI is empty and it may have no parts yet, in which case
	// nothing is written for it.
	Open        Segment
	PreloadPart string // URI of the part that comes next; empty after the end
	PreloadMap  string // URI of an initialization segment that will be needed next
	Reports     []RenditionReport
	DateRanges  []DateRange
	EndList     bool
}

// Skip is EXT-X-SKIP.
type Skip struct {
	Segments int
	// V2 leaves out date ranges too (the caller does that) and lists the ids of those that were
	// removed lately.
	V2      bool
	Removed []string
}

// Segment is a media segment. A part list is written only where Parts is not empty.
type Segment struct {
	URI           string
	Duration      time.Duration // EXTINF is written with 5 decimals
	Discontinuity bool
	Map           string    // EXT-X-MAP URI. Written where it differs from the previous segment's, and on the first that is written (in delta updates too: Shaka needs it)
	ProgramDate   time.Time // written in UTC with milliseconds, rounded down
	Gap           bool
	Parts         []Part
}

// Part is a partial segment.
type Part struct {
	URI         string
	Duration    time.Duration
	Independent bool
	Gap         bool
}

// RenditionReport is EXT-X-RENDITION-REPORT.
type RenditionReport struct {
	URI      string
	LastMSN  int64
	LastPart int // negative: left out
}

// DateRange is EXT-X-DATERANGE.
type DateRange struct {
	ID, Class string
	Start     time.Time     // written with milliseconds, rounded down
	Duration  time.Duration // negative: open-ended
	Planned   time.Duration // PLANNED-DURATION; zero: none
	// Attributes are client attributes: names begin with X-, values are written quoted.
	Attributes []Attribute
}

// Attribute is a name and its value.
type Attribute struct{ Name, Value string }

// Append writes the playlist's text to the end of dst and returns the extended slice.
func (m *Media) Append(dst []byte) []byte { panic("filled by m3u8 helper") }

// Multivariant is a multivariant playlist.
type Multivariant struct {
	IndependentSegments bool
	Audio               []AudioRendition
	Variants            []Variant
	SessionData         []Attribute // DATA-ID and URI
}

// AudioRendition is EXT-X-MEDIA of TYPE=AUDIO.
type AudioRendition struct {
	Group, Name, Language string
	URI                   string
	Default, AutoSelect   bool
	Channels              int
}

// Variant is EXT-X-STREAM-INF.
type Variant struct {
	URI                         string
	Bandwidth, AverageBandwidth int // bits a second
	Codecs                      []string
	Width, Height               int // zero: no RESOLUTION
	FrameRate                   float64
	VideoRange                  string // SDR, PQ, HLG; empty: left out
	AudioGroup                  string
	Name                        string
}

// Append writes the playlist's text to the end of dst and returns the extended slice.
func (m *Multivariant) Append(dst []byte) []byte { panic("filled by m3u8 helper") }
