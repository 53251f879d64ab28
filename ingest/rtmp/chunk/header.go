package chunk

import (
	"bytes"
	"encoding/binary"
)

// basicHeader reads the one to three bytes that every chunk begins with (5.3.1.1).
func (r *Reader) basicHeader() (format uint8, id uint32, err error) {
	b, err := r.src.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	format, id = b>>6, uint32(b&0x3F)
	if id > 1 {
		return format, id, nil
	}
	low, err := r.src.ReadByte()
	if err != nil || id == 0 {
		return format, 64 + uint32(low), noEOF(err)
	}
	high, err := r.src.ReadByte()
	return format, 64 + uint32(low) + uint32(high)<<8, noEOF(err)
}

// messageHeader reads what a chunk of the given format has after its basic header (5.3.1.2, 5.3.1.3)
// and opens a message in s unless the chunk continues one.
func (r *Reader) messageHeader(s *stream, format uint8) error {
	if format == 3 {
		if err := r.skipRepeatedTime(s); err != nil || s.open {
			return err
		}
		return r.open(s, s.delta, s.absolute)
	}
	if s.open {
		// A new header inside a message: the encoder has given up on the rest.
		r.drop(s)
	}
	b, err := r.take([...]int{11, 7, 3}[format])
	if err != nil {
		return err
	}
	time := uint24(b)
	if format < 2 {
		s.length, s.kind = int(uint24(b[3:])), b[6]
	}
	if format == 0 {
		s.messageStream = binary.LittleEndian.Uint32(b[7:])
	}
	if s.hasExt = time == extended; s.hasExt {
		if b, err = r.take(4); err != nil {
			return err
		}
		time = binary.BigEndian.Uint32(b)
		s.ext = time
	}
	s.delta, s.absolute = time, format == 0
	if format == 0 {
		s.time = 0
	}
	return r.open(s, time, false)
}

// open begins a message whose time is delta after the last one's, and checks its length. After a header
// of type 0 the last one's time counts as zero: delta is the timestamp.
//
// repeated says that a chunk of type 3 opens the message right after one of type 0, whose timestamp
// now serves as delta (5.3.1.2.4). ffmpeg does this at the start of a stream, where the second frame
// comes as long after the first as the first after zero. librtmp does it at any time in a show, for
// two messages with one timestamp. A delta of hours is no delta, hence maxOpeningDelta.
func (r *Reader) open(s *stream, delta uint32, repeated bool) error {
	if !repeated || delta <= maxOpeningDelta {
		s.time += delta
	}
	limit, maySkip := r.Limits.of(s.kind)
	if s.skip = s.length > limit; s.skip && !maySkip {
		return errorf("a message of type %d with %d bytes; at most %d are taken", s.kind, s.length, limit)
	}
	s.open = true
	return nil
}

// skipRepeatedTime reads the extended timestamp of a chunk of type 3, if it is there. By the
// specification (5.3.1.3) it is, whenever the header it refers to had one; many encoders leave it out,
// old librtmp among them. So the bytes decide: those that repeat the header's field, or say the
// message's time, are no payload. They are compared one by one: where the field is left out, there may
// not be four more bytes to wait for.
func (r *Reader) skipRepeatedTime(s *stream) error {
	if !s.hasExt {
		return nil
	}
	now := s.time
	if !s.open {
		now += s.delta
	}
	var field, time [4]byte
	binary.BigEndian.PutUint32(field[:], s.ext)
	binary.BigEndian.PutUint32(time[:], now)
	for n := 1; n <= 4; n++ {
		b, err := r.src.Peek(n)
		if err != nil {
			return err
		}
		if !bytes.Equal(b, field[:n]) && !bytes.Equal(b, time[:n]) {
			return nil
		}
	}
	_, err := r.src.Discard(4)
	return err
}

// take returns the next n bytes of a header. They are valid until the next read.
func (r *Reader) take(n int) ([]byte, error) {
	b, err := r.src.Peek(n)
	if err != nil {
		return nil, err
	}
	_, err = r.src.Discard(n)
	return b, err
}

func uint24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }
