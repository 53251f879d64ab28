// Package fmp4 writes CMAF: initialization segments and fragments (ISO/IEC 14496-12, 23000-19).
package fmp4

import "pushcart/media"

// Init returns the initialization segment of a rendition: ftyp, then moov with the one track t, whose
// track_ID is trackID. The media timescale is t.Timescale.
func Init(t media.Track, f media.Format, trackID uint32) ([]byte, error) {
	panic("filled by fmp4 helper")
}

// Sample is one access unit on its way into a fragment.
type Sample struct {
	Duration          uint32 // ticks of the media timescale
	CompositionOffset int32  // PTS - DTS, in the same ticks; may be negative (trun version 1)
	Sync              bool   // random access point
	Data              []byte // copied into the fragment
}

// Fragment is one part: whole boxes, [styp] [prft] [emsg ...] moof mdat.
type Fragment struct {
	// Styp puts a styp box in front, as the first part of each segment has it.
	Styp bool
	// Sequence is the moof's sequence_number.
	Sequence uint32
	TrackID  uint32
	// BaseTime is the decode time of the first sample (tfdt version 1).
	BaseTime uint64
	// Video selects the sample flags: pictures that are not sync depend on others.
	Video   bool
	Events  []Event
	PRFT    *ProducerTime
	Samples []Sample
}

// Event is an emsg box of version 1 (AOM "Carriage of ID3 Timed Metadata in CMAF").
type Event struct {
	Timescale        uint32
	PresentationTime uint64
	Duration         uint32 // 0xFFFFFFFF: unknown
	ID               uint32
	Scheme, Value    string
	Data             []byte
}

// ProducerTime is a prft box of version 1 (ISO/IEC 14496-12 8.16.5).
type ProducerTime struct {
	NTP       uint64 // 32.32 fixed-point seconds since 1900
	MediaTime uint64
	Flags     uint32 // 24: captured; 0: encoder input
}

// Size returns the number of bytes that Append is going to add for f.
func (f *Fragment) Size() int { panic("filled by fmp4 helper") }

// Append writes f to the end of dst and returns the extended slice. It allocates only if dst has not
// the capacity.
func (f *Fragment) Append(dst []byte) []byte { panic("filled by fmp4 helper") }
