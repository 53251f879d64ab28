package m3u8

import "time"

// Media is a media playlist.
type Media struct {
	// Version is EXT-X-VERSION. Append raises it to what the tags need: 4 with IFramesOnly or a byte range,
	// 6 (5 with IFramesOnly) with EXT-X-MAP, 9 with Skip, 10 with Skip.V2.
	Version               int
	TargetDuration        int           // seconds
	PartTarget            time.Duration // zero: no low-latency tags at all
	HoldBack              time.Duration // zero: left out
	PartHoldBack          time.Duration
	CanSkipUntil          time.Duration // zero: no delta updates
	MediaSequence         int64
	DiscontinuitySequence int64
	IndependentSegments   bool
	// IFramesOnly makes each segment one key picture: a byte range, without parts. The server's control is the
	// same in all playlists of a show: it is written if PartHoldBack is there, and PartTarget is not.
	IFramesOnly bool
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
	Duration      time.Duration // EXTINF, rounded to the nearest of 5 decimals
	Discontinuity bool
	Map           string    // EXT-X-MAP URI. Written where it differs from the previous segment's, and on the first that is written (in delta updates too: Shaka needs it)
	ProgramDate   time.Time // written in UTC with milliseconds, rounded down; zero: left out
	Gap           bool
	Range         ByteRange // of the URI; zero: all of it
	Parts         []Part
}

// ByteRange is a range of a resource. Its Length is at least 1.
type ByteRange struct{ Offset, Length int64 }

// Part is a partial segment.
type Part struct {
	URI         string
	Duration    time.Duration // written with 5 decimals, rounded down, as it may not exceed PART-TARGET
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
	// Attributes are client attributes: names begin with X-, values are written quoted. One whose
	// name has anything but upper-case letters, digits and hyphens behind the X- is left out.
	Attributes []Attribute
}

// Attribute is a name and its value.
type Attribute struct{ Name, Value string }
