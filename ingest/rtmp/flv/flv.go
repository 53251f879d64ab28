// Package flv reads the payload of RTMP's audio, video and aggregate messages: the tags of Adobe's
// Video File Format 10.1 (annex E), and their extension Enhanced RTMP, versions 1 and 2 (Veovera).
//
// It only finds things: what a packet is, which track it belongs to, where its bytes are. It copies
// none of them.
package flv

import (
	"fmt"

	"pushcart/media"
)

// FormatError says how the bytes of a message are wrong. It costs that message.
type FormatError string

// Error returns the sentence.
func (e FormatError) Error() string { return "flv: " + string(e) }

func errorf(format string, args ...any) error { return FormatError(fmt.Sprintf(format, args...)) }

var errShort = FormatError("a tag ends inside its header")

// Codec is a FourCC of Enhanced RTMP, or one of the numbers of the old tags (old plus the CodecID of
// video, oldAudio plus the SoundFormat of audio).
type Codec uint32

// The codecs that the house carries.
const (
	AVC  Codec = 'a'<<24 | 'v'<<16 | 'c'<<8 | '1'
	HEVC Codec = 'h'<<24 | 'v'<<16 | 'c'<<8 | '1'
	AV1  Codec = 'a'<<24 | 'v'<<16 | '0'<<8 | '1'
	AAC  Codec = 'm'<<24 | 'p'<<16 | '4'<<8 | 'a'
	Opus Codec = 'O'<<24 | 'p'<<16 | 'u'<<8 | 's'
	MP3  Codec = '.'<<24 | 'm'<<16 | 'p'<<8 | '3' // also those of old messages
	PCM  Codec = oldAudio + 3                     // 16 bits, little-endian
	PCMA Codec = oldAudio + 7
	PCMU Codec = oldAudio + 8

	oldVideo Codec = 0x100
	oldAudio Codec = 0x200
)

// otherNames are the codecs that encoders may send and the house does not carry.
var otherNames = map[Codec]string{
	'v'<<24 | 'p'<<16 | '0'<<8 | '8': "VP8",
	'v'<<24 | 'p'<<16 | '0'<<8 | '9': "VP9",
	'v'<<24 | 'v'<<16 | 'c'<<8 | '1': "VVC",
	'a'<<24 | 'c'<<16 | '-'<<8 | '3': "AC-3",
	'e'<<24 | 'c'<<16 | '-'<<8 | '3': "E-AC-3",
	'f'<<24 | 'L'<<16 | 'a'<<8 | 'C': "FLAC",

	oldVideo + 2: "Sorenson H.263",
	oldVideo + 3: "Screen Video",
	oldVideo + 4: "VP6",
	oldVideo + 5: "VP6 with alpha",
	oldVideo + 6: "Screen Video 2",
	oldVideo + 8: "H.263",
	oldVideo + 9: "MPEG-4 Part 2",

	oldAudio + 0:  "PCM in 8 bits or the sender's byte order",
	oldAudio + 1:  "ADPCM",
	oldAudio + 4:  "Nellymoser",
	oldAudio + 5:  "Nellymoser",
	oldAudio + 6:  "Nellymoser",
	oldAudio + 11: "Speex",
}

// Media returns the codec as the house knows it, "" if it does not carry it.
func (c Codec) Media() media.Codec {
	switch c {
	case AVC:
		return media.CodecH264
	case HEVC:
		return media.CodecHEVC
	case AV1:
		return media.CodecAV1
	case AAC:
		return media.CodecAAC
	case Opus:
		return media.CodecOpus
	case MP3:
		return media.CodecMP3
	case PCM:
		return media.CodecL16
	case PCMA:
		return media.CodecPCMA
	case PCMU:
		return media.CodecPCMU
	}
	return ""
}

// String returns a name to show to a host.
func (c Codec) String() string {
	switch c {
	case AVC:
		return "H.264"
	case HEVC:
		return "HEVC"
	case AV1:
		return "AV1"
	case AAC:
		return "AAC"
	case Opus:
		return "Opus"
	case MP3:
		return "MP3"
	case PCM:
		return "PCM"
	case PCMA:
		return "G.711 A-law"
	case PCMU:
		return "G.711 mu-law"
	}
	if name, ok := otherNames[c]; ok {
		return name
	}
	if c < oldVideo+0x200 {
		return fmt.Sprintf("codec number %d", uint32(c)&0xFF)
	}
	return fmt.Sprintf("codec %q", []byte{byte(c >> 24), byte(c >> 16), byte(c >> 8), byte(c)})
}

// PacketType is what a packet is for.
type PacketType uint8

// The types of packet. All else that a message may hold (colour metadata, seek commands, channel
// maps, the end of a sequence) is nothing that the house needs, and is not returned.
const (
	// Config is a decoder configuration, in the form that media.Codec prescribes.
	Config PacketType = iota + 1
	// Frame is one access unit.
	Frame
	// TSConfig is a configuration in the form of MPEG-TS (AV1 only), which the house does not read.
	TSConfig
)

// Packet is one track's share of a message.
type Packet struct {
	Type  PacketType
	Kind  media.Kind
	Codec Codec
	// Track is the number of the track within its kind; 0 is the default one and that of all messages
	// that are not multitrack.
	Track uint8
	// Keyframe is what the header of a video packet says; encoders are known to be wrong.
	Keyframe bool
	// CompositionTime is PTS minus DTS in milliseconds.
	CompositionTime int32
	// NanoOffset is to be added to the message's time for this packet: 0 to 999,999 ns.
	NanoOffset uint32
	// SampleRate and Channels are what the header of an old audio message says, zero in others. They are true of PCM and
	// G.711 only: other codecs' own configurations or frames know better.
	SampleRate, Channels int
	// Data is a part of the message.
	Data []byte
}
