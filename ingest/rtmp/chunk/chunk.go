// Package chunk turns RTMP's chunk stream into messages and back (Adobe's RTMP specification 1.0,
// chapter 5.3), and keeps the rules that guard it: every limit that the bytes of a stranger meet
// before they are a message is here.
package chunk

import "fmt"

// Message types (RTMP 1.0, sections 5.4 and 7.1).
const (
	TypeSetChunkSize  = 1
	TypeAbort         = 2
	TypeAck           = 3
	TypeUserControl   = 4
	TypeWindowAckSize = 5
	TypePeerBandwidth = 6
	TypeAudio         = 8
	TypeVideo         = 9
	TypeDataAMF3      = 15
	TypeCommandAMF3   = 17
	TypeDataAMF0      = 18
	TypeCommandAMF0   = 20
	TypeAggregate     = 22
)

const (
	// DefaultSize is the chunk size of both directions until it is set.
	DefaultSize = 128
	// MaxSize is the largest chunk that can occur: no message is longer (RTMP 1.0, 5.4.1). Larger
	// sizes, up to 2^31-1, may be set and mean this one.
	MaxSize = 0xFFFFFF
	// MaxStreams is the number of chunk streams that one connection may open. Encoders use two to six.
	MaxStreams = 64
)

const (
	extended = 0xFFFFFF // timestamp field: look for the extended one

	// maxOpeningDelta, in milliseconds, is explained at Reader.open.
	maxOpeningDelta = 5000
	// firstBlock is the size a message buffer starts with while the peer has not yet delivered a
	// larger message.
	firstBlock = 4 << 10
)

// Message is one RTMP message.
type Message struct {
	Type uint8
	// Stream is the message stream ID.
	Stream uint32
	// Timestamp is in milliseconds and wraps at 2^32.
	Timestamp uint32
	// Data is the payload; whoever receives the message owns it.
	Data []byte
}

// FormatError says what the peer did against the protocol or its limits. The connection is lost.
type FormatError string

// Error returns the sentence.
func (e FormatError) Error() string { return "chunk stream: " + string(e) }

func errorf(format string, args ...any) error { return FormatError(fmt.Sprintf(format, args...)) }

// Limits is what the peer may send at its present stage.
type Limits struct {
	// Control, Command, Data, Audio and Video are the longest payload for each type of message, in
	// bytes; zero admits none but empty ones. Video holds for aggregates as well.
	Control, Command, Data, Audio, Video int
	// Buffered is the memory that unfinished messages may take in all, in bytes.
	Buffered int
	// SkipLong says what becomes of a Data, Audio or Video message beyond its limit: if set it is
	// read past and counted, else it is an error.
	SkipLong bool
}

// of returns the limit for a type, and whether a longer message may be skipped.
func (l *Limits) of(messageType uint8) (limit int, skip bool) {
	switch messageType {
	case TypeSetChunkSize, TypeAbort, TypeAck, TypeUserControl, TypeWindowAckSize, TypePeerBandwidth:
		return l.Control, false
	case TypeAudio:
		return l.Audio, l.SkipLong
	case TypeVideo, TypeAggregate:
		return l.Video, l.SkipLong
	case TypeCommandAMF0, TypeCommandAMF3:
		return l.Command, false
	}
	// Data messages, and all that nobody here understands: shared objects, makers' own types.
	return l.Data, l.SkipLong
}
