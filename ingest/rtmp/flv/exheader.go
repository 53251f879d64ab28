package flv

import "pushcart/media"

// The packet types of Enhanced RTMP. Those of audio and video agree but for two.
const (
	exSequenceStart      = 0
	exCodedFrames        = 1
	exSequenceEnd        = 2
	exCodedFramesX       = 3 // video
	exMetadata           = 4 // video; audio has MultichannelConfig here
	exTSSequenceStart    = 5 // video
	exMultitrackAudio    = 5
	exMultitrackVideo    = 6
	exModEx              = 7
	modExTimestampOffset = 0
)

// How a multitrack message is made up (AvMultitrackType).
const (
	oneTrack = iota
	manyTracks
	manyTracksManyCodecs
)

// reader reads the fields of a header. Once it has run out it yields zeros, and ok is false.
type reader struct {
	data []byte
	ok   bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.data) {
		r.data, r.ok = nil, false
	}
	if !r.ok {
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) uint(bytes int) (v uint32) {
	for _, b := range r.take(bytes) {
		v = v<<8 | uint32(b)
	}
	return v
}

// exPackets appends the packets of an Enhanced RTMP message. p holds what its first byte said, and
// packetType the lower half of that byte; r stands behind it. Audio and video share the layout
// (ExAudioTagHeader, ExVideoTagHeader and their bodies).
func exPackets(dst []Packet, r *reader, p Packet, packetType uint8) ([]Packet, error) {
	for packetType == exModEx && r.ok {
		packetType = modEx(r, &p)
	}
	multitrack := packetType == exMultitrackAudio
	if p.Kind == media.KindVideo {
		multitrack = packetType == exMultitrackVideo
	}
	if !multitrack {
		p.Codec = Codec(r.uint(4))
		if !r.ok {
			return dst, errShort
		}
		return exPacket(dst, p, packetType, r.data)
	}

	layout := uint8(r.uint(1))
	layout, packetType = layout>>4, layout&0x0F
	if layout > manyTracksManyCodecs {
		return dst, errorf("unknown multitrack type %d", layout)
	}
	if layout != manyTracksManyCodecs {
		p.Codec = Codec(r.uint(4))
	}
	for more := true; more; more = len(r.data) > 0 && layout != oneTrack {
		if layout == manyTracksManyCodecs {
			p.Codec = Codec(r.uint(4))
		}
		p.Track = uint8(r.uint(1))
		size := len(r.data)
		if layout != oneTrack {
			size = int(r.uint(3))
		}
		data := r.take(size)
		if !r.ok {
			return dst, FormatError("a multitrack message ends inside a track")
		}
		var err error
		if dst, err = exPacket(dst, p, packetType, data); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// modEx reads one modifier and returns the packet type that follows it.
func modEx(r *reader, p *Packet) uint8 {
	size := int(r.uint(1)) + 1
	if size == 256 {
		size = int(r.uint(2)) + 1
	}
	data := r.take(size)
	next := uint8(r.uint(1))
	if next>>4 == modExTimestampOffset && len(data) >= 3 {
		ns := uint32(data[0])<<16 | uint32(data[1])<<8 | uint32(data[2])
		p.NanoOffset = min(ns, 999_999)
	}
	return next & 0x0F
}

// exPacket appends one track's packet.
func exPacket(dst []Packet, p Packet, packetType uint8, data []byte) ([]Packet, error) {
	switch {
	case packetType == exSequenceStart:
		p.Type = Config
	case packetType == exCodedFrames:
		p.Type = Frame
		if p.Codec == AVC || p.Codec == HEVC {
			if len(data) < 3 {
				return dst, errShort
			}
			p.CompositionTime, data = int24(data), data[3:]
		}
	case packetType == exCodedFramesX && p.Kind == media.KindVideo:
		p.Type = Frame
	case packetType == exTSSequenceStart && p.Kind == media.KindVideo:
		p.Type = TSConfig
	default:
		// SequenceEnd, Metadata, MultichannelConfig, and what is not invented yet.
		return dst, nil
	}
	if p.Type == Frame && len(data) == 0 {
		return dst, nil
	}
	p.Data = data
	return append(dst, p), nil
}

// int24 reads a signed number of 24 bits.
func int24(b []byte) int32 {
	return int32(uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8) >> 8
}
