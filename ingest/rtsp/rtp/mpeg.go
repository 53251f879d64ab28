package rtp

import (
	"encoding/binary"

	"pushcart/media"
)

// MPEGAudio puts together the frames of MPEG audio (RFC 2250 section 3.5), which may be longer than a packet. The zero
// value is at the beginning.
type MPEGAudio struct {
	partial []byte // of a frame whose end has not come
}

// maxMPEGAudio bounds a frame: layer I at its highest rate has 2,000 bytes.
const maxMPEGAudio = 4096

// mpegAudioHeader is what a payload has before its frames: 16 bits that are zero, and the offset of a fragment.
const mpegAudioHeader = 4

// Frames returns the frames that a payload completes, in a row, nil if there are none yet. lost says that packets are
// missing before it. What it returns may point into the payload.
func (m *MPEGAudio) Frames(payload []byte, lost bool) ([]byte, error) {
	if len(payload) <= mpegAudioHeader {
		return nil, FormatError("a packet of MPEG audio is empty")
	}
	offset, data := int(binary.BigEndian.Uint16(payload[2:])), payload[mpegAudioHeader:]
	if lost {
		m.partial = nil
	}
	switch {
	case offset == 0:
		m.partial = nil
	case offset != len(m.partial):
		m.partial = nil
		return nil, FormatError("a fragment of an MPEG audio frame has no beginning")
	}
	length := mpegFrameLength(data)
	if offset > 0 {
		length = mpegFrameLength(m.partial)
	}
	switch have := offset + len(data); {
	case offset == 0 && (length == 0 || have >= length):
		return data, nil // several frames, or what the caller can't read either
	case have > length || have > maxMPEGAudio:
		m.partial = nil
		return nil, FormatError("the fragments of an MPEG audio frame are longer than the frame")
	case have < length:
		m.partial = append(m.partial, data...)
		return nil, nil
	}
	whole := append(m.partial, data...)
	m.partial = nil
	return whole, nil
}

// mpegFrameLength is the length of the frame that b begins with, zero if that can't be told.
func mpegFrameLength(b []byte) int {
	h, err := media.ReadMP3(b)
	if err != nil {
		return 0
	}
	return h.FrameBytes
}
