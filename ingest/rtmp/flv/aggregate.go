package flv

import "encoding/binary"

// Tag is one message inside an aggregate.
type Tag struct {
	// Type is the RTMP message type.
	Type uint8
	// Offset is to be added to the aggregate's timestamp, in milliseconds, modulo 2^32.
	Offset uint32
	// Data is a part of the aggregate.
	Data []byte
}

const (
	tagHeader  = 11
	tagTrailer = 4 // the size of the tag once more, for reading backwards
)

// Aggregate calls yield for each message in an aggregate message (RTMP 1.0, 7.1.6) until it returns an
// error, and returns that. The times inside an aggregate run from its own timestamp on: the first tag's
// time stands for that, whatever it is.
func Aggregate(data []byte, yield func(Tag) error) error {
	var base uint32
	for first := true; len(data) > 0; first = false {
		if len(data) < tagHeader {
			return FormatError("an aggregate ends inside a header")
		}
		size := int(binary.BigEndian.Uint32(data) & 0xFFFFFF)
		time := binary.BigEndian.Uint32(data[4:])
		time = time>>8 | time<<24 // the upper byte comes last
		if first {
			base = time
		}
		kind, rest := data[0], data[tagHeader:]
		if size > len(rest) {
			return errorf("an aggregate has a tag of %d bytes with %d left", size, len(rest))
		}
		if err := yield(Tag{Type: kind, Offset: time - base, Data: rest[:size:size]}); err != nil {
			return err
		}
		// Some servers that relay aggregates leave out the very last trailer.
		data = rest[min(size+tagTrailer, len(rest)):]
	}
	return nil
}
