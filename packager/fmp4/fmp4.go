// Package fmp4 writes CMAF: initialization segments and fragments (ISO/IEC 14496-12, 23000-19).
//
// It knows boxes and nothing else: no playlists, no segmenting, no clock. The writers are ours, so that
// one pass over the samples gives a fragment's size and a second one its bytes; other libraries
// (mediacommon, mp4ff, ffmpeg) read everything back in the tests. ReadInit and ReadFragment are for tests
// and tools, and know only what the writers write.
//
// To add a codec, give it a sample entry in entry.go.
package fmp4

// Sample is one access unit on its way into a fragment.
type Sample struct {
	Duration          uint32 // ticks of the media timescale
	CompositionOffset int32  // PTS - DTS, in the same ticks; may be negative (trun version 1)
	Sync              bool   // random access point
	Data              []byte // copied into the fragment
}

// Fragment is one part: whole boxes, [styp] [prft] [emsg ...] moof mdat.
//
// It has to stay below 2 GiB, which is what the trun's data_offset and the mdat's size can say.
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
	Scheme, Value    string // written up to their first NUL, as the box can't hold one
	Data             []byte
}

// ProducerTime is a prft box of version 1 (ISO/IEC 14496-12 8.16.5).
type ProducerTime struct {
	NTP       uint64 // 32.32 fixed-point seconds since 1900
	MediaTime uint64
	Flags     uint32 // what NTP is the time of
}

// ProducerTimeConsistent says that NTP is at a constant distance from the moment of capture, whatever that is.
const ProducerTimeConsistent = 8
