// Package media is the vocabulary of the house: tracks, access units and the codecs they are in.
//
// Everything behind a door speaks it. It is pure: no network, no files, no goroutines, no clock. To
// add a codec, give it a name here, its configuration parser in codec.go, and a sample entry in
// packager/fmp4.
package media

import "bytes"

// Kind is what a track is for.
type Kind uint8

// The kinds of track.
const (
	KindUnknown Kind = iota
	KindVideo
	KindAudio
	KindData
)

// String returns "video", "audio", "data" or "unknown".
func (k Kind) String() string {
	switch k {
	case KindVideo:
		return "video"
	case KindAudio:
		return "audio"
	case KindData:
		return "data"
	}
	return "unknown"
}

// Codec names how a track is coded.
type Codec string

// The codecs that the house carries. The comment says what Track.Config and AccessUnit.Data hold.
const (
	CodecH264 Codec = "h264" // Config: AVCDecoderConfigurationRecord (avcC body). Data: length-prefixed NAL units
	CodecHEVC Codec = "hevc" // Config: HEVCDecoderConfigurationRecord (hvcC body). Data: length-prefixed NAL units
	CodecAV1  Codec = "av1"  // Config: AV1CodecConfigurationRecord (av1C body). Data: one temporal unit, low-overhead OBUs, no temporal delimiter
	CodecAAC  Codec = "aac"  // Config: AudioSpecificConfig. Data: one raw access unit, no ADTS
	CodecOpus Codec = "opus" // Config: OpusHead without its magic (RFC 7845 section 5.1, from the version byte). Data: one packet
	// What HLS can't carry, though encoders send it: the sound of cameras and of old telephony. Tracks in these are
	// Internal. Config: one byte, the number of channels. Timescale: the sampling rate.
	CodecPCMA Codec = "pcma" // Data: G.711 A-law, a byte a sample, channels interleaved
	CodecPCMU Codec = "pcmu" // Data: G.711 mu-law, likewise
	CodecL16  Codec = "l16"  // Data: linear 16 bits, big-endian, channels interleaved
	CodecG722 Codec = "g722" // Data: G.722 at 64 kb/s, a byte for two samples at 16 kHz
	CodecMP3  Codec = "mp3"  // Data: one MPEG-1 or MPEG-2 audio layer III frame

	CodecAMF0 Codec = "amf0" // Config: nil. Data: the AMF0 values of an RTMP data message, its name first
	CodecCue  Codec = "cue"  // Config: nil. Data: one cue.Mark, as JSON
)

// Kind returns what c is used for, KindUnknown for a codec that the house does not carry.
func (c Codec) Kind() Kind {
	switch c {
	case CodecH264, CodecHEVC, CodecAV1:
		return KindVideo
	case CodecAAC, CodecOpus, CodecPCMA, CodecPCMU, CodecL16, CodecG722, CodecMP3:
		return KindAudio
	case CodecAMF0, CodecCue:
		return KindData
	}
	return KindUnknown
}

// Track describes one elementary stream. Values are shared between goroutines: nobody modifies a
// Track, or the bytes of its Config, once it has been handed on.
type Track struct {
	// ID tells the tracks of one show apart; it is at least 1 and stays with the track when its
	// configuration changes.
	ID int
	// Codec says how the track is coded.
	Codec Codec
	// Timescale is the number of ticks in a second of the track's DTS and PTS.
	Timescale int64
	// Config is the decoder configuration in the form that Codec prescribes.
	Config []byte
	// FrameRate is the nominal rate that the host declared, in frames a second; zero if it did not.
	FrameRate float64
	// BitRate is the rate that the host declared, in bits a second; zero if it did not.
	BitRate int
	// Language is a BCP 47 tag, empty if unknown.
	Language string
	// Label is what a person calls the rendition ("720p", "Français"); may be empty.
	Label string
	// Contributed says that the track is not the host's own: it has joined the show from another
	// connection, and comes and goes without the show's other tracks.
	Contributed bool
	// Internal says that the track is what others are made of, and never offered to viewers itself: sound in a codec
	// that HLS can't carry, a voice that is still to be mixed with the show's own sound.
	Internal bool
	// Group names a quality of the sound, such as "64k"; it is empty for the show's own. An audio track with a
	// group is that quality of the track of the same Language and Label (of the host's first audio track, if it has neither).
	// A video track with a group is best heard with the audio of that group.
	Group string
	// Away says of a contributed track that what it is there for has left, such as the voice that it mixes with the show's own
	// sound. It goes on for those who play it, and is not for newcomers.
	Away bool
}

// Kind returns what the track is for.
func (t Track) Kind() Kind { return t.Codec.Kind() }

// SameConfig reports whether a decoder set up for t also decodes u: same codec, timescale and
// configuration bytes.
func (t Track) SameConfig(u Track) bool {
	return t.Codec == u.Codec && t.Timescale == u.Timescale && bytes.Equal(t.Config, u.Config)
}

// AccessUnit is the smallest thing that has a time: a coded picture, an audio frame, a data message.
type AccessUnit struct {
	// Track is the ID of the track the unit belongs to.
	Track int
	// DTS and PTS are decoding and presentation time in ticks of the track's timescale. PTS may be
	// below DTS only if a host said so.
	DTS, PTS int64
	// RandomAccess reports that decoding can start here. Audio and data units always say true.
	RandomAccess bool
	// Data is the coded unit in the form that the track's Codec prescribes. It is never modified
	// after the unit has been handed on; whoever holds the unit may keep it.
	Data []byte
}
