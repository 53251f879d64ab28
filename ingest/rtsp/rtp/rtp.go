// Package rtp makes coded frames of RTP packets: it puts packets in order, finds out which frames are
// whole, and takes the payload formats apart.
//
// It has no clock and no sockets, and keeps no frame of which a packet is missing: what comes out of an
// Assembler is complete, or is reported as broken. Specifications: RFC 3550; RFC 6184 (H.264), RFC 7798
// (HEVC), the AOM's "RTP Payload Format For AV1", RFC 3640 and RFC 6416 (AAC), RFC 7587 (Opus). To add a
// payload format, write a function from the payloads of one frame to its units, and call it in the door.
package rtp

import (
	"fmt"
	"time"
)

// Packet is what counts of an RTP packet. Payload is not modified, and not copied until it goes into a frame.
type Packet struct {
	Sequence  uint16
	Timestamp uint32
	SSRC      uint32
	Marker    bool
	Payload   []byte
	Arrived   time.Time
}

// FormatError says what a host did against a payload format. It costs a frame.
type FormatError string

// Error returns the sentence.
func (e FormatError) Error() string { return "rtp: " + string(e) }

func formatError(format string, args ...any) error { return FormatError(fmt.Sprintf(format, args...)) }

// Limits of a frame. They are those of the RTMP door.
const (
	// MaxFrameBytes leaves room for keyframes ten times the size of those of a 4K stream at 50 Mb/s.
	MaxFrameBytes = 8 << 20
	// maxFramePackets is that many bytes in packets of 512.
	maxFramePackets = MaxFrameBytes / 512
	// maxNALs bounds the NAL units of a picture: slices, parameter sets, messages.
	maxNALs = 1024
)
