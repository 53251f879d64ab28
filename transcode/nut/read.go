package nut

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Reader reads a file as ffmpeg writes it. It is for one goroutine.
type Reader struct {
	in      input
	streams []streamState
	codes   [256]frameCode
	elided  [][]byte // elision header i; the first is empty
	bases   []timeBase
	next    uint64 // a startcode that has been read already, or zero
}

type timeBase struct{ num, den int64 }

type streamState struct {
	Stream
	base     timeBase
	known    bool
	msbShift uint
	lastPTS  int64
}

type frameCode struct {
	flags            uint64
	ptsDelta         int64
	mul, lsb, stream uint64
	reserved, header uint64
}

// NewReader reads the headers. It returns when the first frame is about to come.
func NewReader(r io.Reader) (*Reader, error) {
	nr := &Reader{in: input{r: bufio.NewReaderSize(r, 64<<10)}}
	if err := nr.readHeaders(); err != nil {
		return nil, fmt.Errorf("nut: %w", err)
	}
	return nr, nil
}

// Streams returns what the file has. It is read only.
func (r *Reader) Streams() []Stream {
	list := make([]Stream, len(r.streams))
	for i := range r.streams {
		list[i] = r.streams[i].Stream
	}
	return list
}

// Read returns the next frame, whose Data belongs to the caller. At the end of the file, which may come
// anywhere, the error is io.EOF; other errors are final too, and wrap ErrFormat or ErrLimit or come from the
// underlying reader.
func (r *Reader) Read() (Frame, error) {
	f, err := r.read()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Frame{}, io.EOF
	}
	if err != nil {
		return Frame{}, fmt.Errorf("nut: %w", err)
	}
	return f, nil
}

func (r *Reader) read() (Frame, error) {
	for {
		start, code, err := r.step()
		if err != nil {
			return Frame{}, err
		}
		switch start {
		case 0:
			return r.frame(code)
		case startSyncpoint:
			err = r.syncpoint()
		case startMain, startStream, startIndex, startInfo: // headers are repeated
			_, err = r.in.packet(start)
		default:
			err = fmt.Errorf("%w: 0x%016x is no startcode", ErrFormat, start)
		}
		if err != nil {
			return Frame{}, err
		}
	}
}

// step reads what comes next: a startcode, or else a frame code.
func (r *Reader) step() (start uint64, code byte, err error) {
	if start, r.next = r.next, 0; start != 0 {
		return start, 0, nil
	}
	c, err := r.in.r.ReadByte()
	if err != nil || c != 'N' {
		return 0, c, err
	}
	var rest [7]byte
	if _, err := io.ReadFull(r.in.r, rest[:]); err != nil {
		return 0, 0, err
	}
	start = 'N' << 56
	for i, x := range rest {
		start |= uint64(x) << (48 - 8*i)
	}
	return start, 0, nil
}

func (r *Reader) readHeaders() error {
	id := make([]byte, len(fileID))
	if _, err := io.ReadFull(r.in.r, id); err != nil {
		return err
	}
	if string(id) != fileID {
		return fmt.Errorf("%w: the file does not begin like one", ErrFormat)
	}
	for {
		start, code, err := r.step()
		if err != nil {
			return err
		}
		if start == startSyncpoint {
			return r.complete(start)
		}
		body, err := r.in.packet(start)
		if err != nil {
			return err
		}
		switch start {
		case startMain:
			err = r.mainHeader(body)
		case startStream:
			err = r.streamHeader(body)
		case startInfo, startIndex:
		default:
			err = fmt.Errorf("%w: frame code %d among the headers", ErrFormat, code)
		}
		if err != nil {
			return err
		}
	}
}

// complete checks that all headers have been there when the first syncpoint comes.
func (r *Reader) complete(start uint64) error {
	if len(r.streams) == 0 {
		return fmt.Errorf("%w: no main header", ErrFormat)
	}
	for i := range r.streams {
		if !r.streams[i].known {
			return fmt.Errorf("%w: no header of stream %d", ErrFormat, i)
		}
	}
	r.next = start
	return nil
}

func (r *Reader) syncpoint() error {
	body, err := r.in.packet(startSyncpoint)
	if err != nil {
		return err
	}
	f := &fields{b: body}
	t := f.v()
	if f.err != nil {
		return f.err
	}
	at := r.bases[t%uint64(len(r.bases))]
	ticks := t / uint64(len(r.bases))
	for i := range r.streams {
		s := &r.streams[i]
		s.lastPTS = rescaleDown(ticks, at, s.base)
	}
	return nil
}

// rescaleDown converts ticks of one time base into another, rounding down.
func rescaleDown(ticks uint64, from, to timeBase) int64 {
	if from == to {
		return int64(min(ticks, math.MaxInt64))
	}
	v := float64(ticks) * float64(from.num) * float64(to.den) / (float64(from.den) * float64(to.num))
	return int64(math.Floor(min(v, 1<<62)))
}

// frame reads a frame behind its code.
func (r *Reader) frame(code byte) (Frame, error) {
	c := r.codes[code]
	if c.flags&flagInvalid != 0 {
		return Frame{}, fmt.Errorf("%w: frame code %d", ErrFormat, code)
	}
	in := &r.in
	if c.flags&flagCoded != 0 {
		c.flags ^= in.v()
	}
	if c.flags&flagStreamID != 0 {
		c.stream = in.v()
	}
	if in.err != nil {
		return Frame{}, in.err
	}
	if c.stream >= uint64(len(r.streams)) {
		return Frame{}, fmt.Errorf("%w: a frame of stream %d", ErrFormat, c.stream)
	}
	s := &r.streams[c.stream]
	pts := s.lastPTS + c.ptsDelta
	if c.flags&flagCodedPTS != 0 {
		pts = s.expand(in.v())
	}
	size := c.lsb
	if c.flags&flagSizeMSB != 0 {
		size += c.mul * min(in.v(), MaxFrame+1)
	}
	if c.flags&flagMatchTime != 0 {
		in.v()
	}
	if c.flags&flagHeaderIdx != 0 {
		c.header = in.v()
	}
	if c.flags&flagReserved != 0 {
		c.reserved = in.v()
	}
	const maxReserved = 256
	for range min(c.reserved, maxReserved) {
		in.v()
	}
	if c.flags&flagChecksum != 0 {
		in.skip(4)
	}
	switch {
	case in.err != nil:
		return Frame{}, in.err
	case c.flags&flagSideData != 0:
		return Frame{}, fmt.Errorf("%w: side data in a frame", ErrFormat)
	case c.header >= uint64(len(r.elided)):
		return Frame{}, fmt.Errorf("%w: elision header %d", ErrFormat, c.header)
	case size > MaxFrame:
		return Frame{}, fmt.Errorf("a frame of %d bytes: %w", size, ErrLimit)
	}
	s.lastPTS = pts
	data, err := r.data(size, c.header)
	return Frame{Stream: int(c.stream), PTS: pts, Key: c.flags&flagKey != 0, Data: data}, err
}

// data reads a frame's bytes, which an elision header may stand in front of. size counts both.
func (r *Reader) data(size, header uint64) ([]byte, error) {
	var front []byte
	if size <= longPacket {
		front = r.elided[header]
	}
	if size < uint64(len(front)) {
		return nil, fmt.Errorf("%w: a frame that is shorter than its beginning", ErrFormat)
	}
	data, err := r.in.bytes(int(size) - len(front))
	if err != nil || len(front) == 0 {
		return data, err
	}
	return append(append(make([]byte, 0, size), front...), data...), nil
}

// expand returns the timestamp that was coded as v: whole, or as the least significant bits of one that
// is near the last one.
func (s *streamState) expand(v uint64) int64 {
	if v >= 1<<s.msbShift {
		return int64(v - 1<<s.msbShift)
	}
	mask := int64(1)<<s.msbShift - 1
	delta := s.lastPTS - mask/2
	return (int64(v)-delta)&mask + delta
}

// input reads numbers and packets and keeps its first error.
type input struct {
	r   *bufio.Reader
	err error
}

func (in *input) v() uint64 {
	if in.err != nil {
		return 0
	}
	v, err := readV(in.r)
	in.err = err
	return v
}

func (in *input) skip(n int) {
	if in.err == nil {
		_, in.err = in.r.Discard(n)
	}
}

// readV reads a number. One of more than 64 bits is an error.
func readV(r io.ByteReader) (uint64, error) {
	v := uint64(0)
	for {
		c, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if v>>57 != 0 {
			return 0, fmt.Errorf("%w: a number of more than 64 bits", ErrFormat)
		}
		v = v<<7 | uint64(c&0x7F)
		if c&0x80 == 0 {
			return v, nil
		}
	}
}

// packet reads what follows a startcode, and checks its checksums.
func (in *input) packet(start uint64) ([]byte, error) {
	size, err := readV(in.r)
	if err != nil {
		return nil, err
	}
	if size < 4 || size > maxPacket {
		return nil, fmt.Errorf("a packet of %d bytes: %w", size, ErrLimit)
	}
	if size > longPacket {
		head := appendV(binary.BigEndian.AppendUint64(nil, start), size)
		sum, err := in.bytes(4)
		if err != nil {
			return nil, err
		}
		if binary.BigEndian.Uint32(sum) != crc(head) {
			return nil, fmt.Errorf("%w: checksum of a packet's header", ErrFormat)
		}
	}
	body, err := in.bytes(int(size))
	if err != nil {
		return nil, err
	}
	body, sum := body[:size-4], body[size-4:]
	if binary.BigEndian.Uint32(sum) != crc(body) {
		return nil, fmt.Errorf("%w: checksum of a packet", ErrFormat)
	}
	return body, nil
}

// bytes reads n bytes. They are allocated as they come.
func (in *input) bytes(n int) ([]byte, error) {
	const step = 256 << 10
	var b []byte
	for n > 0 {
		m := min(n, step)
		if b == nil {
			b = make([]byte, 0, m)
		}
		at := len(b)
		b = append(b, make([]byte, m)...)
		if _, err := io.ReadFull(in.r, b[at:]); err != nil {
			return nil, err
		}
		n -= m
	}
	return b, nil
}
