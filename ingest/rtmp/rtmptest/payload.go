package rtmptest

// Packet types of Enhanced RTMP.
const (
	SequenceStart = 0
	CodedFrames   = 1
	SequenceEnd   = 2
	CodedFramesX  = 3
	Metadata      = 4
)

// Multitrack layouts of Enhanced RTMP.
const (
	OneTrack             = 0
	ManyTracks           = 1
	ManyTracksManyCodecs = 2
)

func frameType(key bool) byte {
	if key {
		return 0x10
	}
	return 0x20
}

func uint24(n int) []byte { return []byte{byte(n >> 16), byte(n >> 8), byte(n)} }

// join returns the parts in one new slice.
func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// AVCConfig makes the old message for an AVCDecoderConfigurationRecord.
func AVCConfig(avcC []byte) []byte { return join([]byte{0x17, 0, 0, 0, 0}, avcC) }

// AVCFrame makes the old message for a picture. The composition time is in milliseconds.
func AVCFrame(key bool, compositionTime int, data []byte) []byte {
	return join([]byte{frameType(key) | 7, 1}, uint24(compositionTime), data)
}

// HEVCConfig makes the message that old Chinese encoders send for an HEVCDecoderConfigurationRecord.
func HEVCConfig(hvcC []byte) []byte { return join([]byte{0x1C, 0, 0, 0, 0}, hvcC) }

// HEVCFrame makes the message of such encoders for a picture.
func HEVCFrame(key bool, compositionTime int, data []byte) []byte {
	return join([]byte{frameType(key) | 12, 1}, uint24(compositionTime), data)
}

// AACConfig makes the old message for an AudioSpecificConfig.
func AACConfig(asc []byte) []byte { return join([]byte{0xAF, 0}, asc) }

// AACFrame makes the old message for an audio frame.
func AACFrame(data []byte) []byte { return join([]byte{0xAF, 1}, data) }

// ExVideo makes an Enhanced RTMP video message. A composition time, if the packet type has one for the
// codec, is the first three bytes of data (CompositionTime).
func ExVideo(key bool, packetType byte, fourCC string, data []byte) []byte {
	return join([]byte{0x80 | frameType(key) | packetType}, []byte(fourCC), data)
}

// ExAudio makes an Enhanced RTMP audio message.
func ExAudio(packetType byte, fourCC string, data []byte) []byte {
	return join([]byte{0x90 | packetType}, []byte(fourCC), data)
}

// CompositionTime puts a composition time in front of a picture.
func CompositionTime(ms int, data []byte) []byte { return join(uint24(ms), data) }

// TrackData is one track's share of a multitrack message.
type TrackData struct {
	ID     byte
	FourCC string // of the first for all, unless the layout says many codecs
	Data   []byte
}

// MultitrackVideo makes a multitrack video message of the given layout.
func MultitrackVideo(key bool, layout, packetType byte, tracks ...TrackData) []byte {
	return multitrack(0x80|frameType(key)|6, layout, packetType, tracks)
}

// MultitrackAudio makes a multitrack audio message of the given layout.
func MultitrackAudio(layout, packetType byte, tracks ...TrackData) []byte {
	return multitrack(0x90|5, layout, packetType, tracks)
}

func multitrack(first, layout, packetType byte, tracks []TrackData) []byte {
	b := []byte{first, layout<<4 | packetType}
	if layout != ManyTracksManyCodecs {
		b = append(b, tracks[0].FourCC...)
	}
	for _, t := range tracks {
		if layout == ManyTracksManyCodecs {
			b = append(b, t.FourCC...)
		}
		b = append(b, t.ID)
		if layout != OneTrack {
			b = append(b, uint24(len(t.Data))...)
		}
		b = append(b, t.Data...)
	}
	return b
}

// NALs puts a length of four bytes before each unit.
func NALs(units ...[]byte) (b []byte) {
	for _, u := range units {
		n := len(u)
		b = append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		b = append(b, u...)
	}
	return b
}
