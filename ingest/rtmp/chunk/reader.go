package chunk

import (
	"bufio"
	"encoding/binary"
	"io"
)

// Reader reads messages from a chunk stream. It is for one goroutine.
type Reader struct {
	// Limits may be changed between calls of Next; it is looked at when a message begins.
	Limits Limits

	src      *bufio.Reader
	size     int
	low      [MaxStreams]*stream // the IDs of one byte: all that encoders use
	high     map[uint32]*stream
	streams  int
	buffered int // capacity of all unfinished messages
	proven   int // the longest message that the peer has delivered in full
	skipped  int64
}

// stream is the state of one chunk stream: its last header and the message under way.
type stream struct {
	time, delta   uint32
	ext           uint32 // the extended timestamp field, if hasExt
	hasExt        bool
	absolute      bool // the last full header was of type 0: delta holds a timestamp
	kind          uint8
	messageStream uint32
	length        int

	open     bool // a message is under way
	skip     bool // its payload is thrown away
	received int
	buf      []byte
}

// NewReader returns a Reader that reads from src, a buffered connection past its handshake.
func NewReader(src *bufio.Reader, limits Limits) *Reader {
	return &Reader{Limits: limits, src: src, size: DefaultSize}
}

// SetSource makes the Reader go on with src, which must yield what the former source had not yet given.
func (r *Reader) SetSource(src *bufio.Reader) { r.src = src }

// Skipped returns the number of messages that were read past because they were too long.
func (r *Reader) Skipped() int64 { return r.skipped }

// Next returns the next whole message. Set Chunk Size and Abort are obeyed and not returned. It blocks
// as long as the source does. Errors are the source's, with io.ErrUnexpectedEOF inside a chunk, or a
// FormatError; each is final.
func (r *Reader) Next() (Message, error) {
	for {
		s, err := r.chunk()
		if err != nil {
			return Message{}, err
		}
		if s.received < s.length {
			continue
		}
		m := Message{Type: s.kind, Stream: s.messageStream, Timestamp: s.time, Data: s.buf}
		skipped := s.skip
		r.drop(s)
		switch {
		case skipped:
			r.skipped++
		case m.Type == TypeSetChunkSize:
			err = r.setChunkSize(m.Data)
		case m.Type == TypeAbort:
			err = r.abort(m.Data)
		default:
			r.proven = max(r.proven, len(m.Data))
			return m, nil
		}
		if err != nil {
			return Message{}, err
		}
	}
}

// drop ends the message of s, finished or not.
func (r *Reader) drop(s *stream) {
	r.buffered -= cap(s.buf)
	s.open, s.skip, s.received, s.buf = false, false, 0, nil
}

func (r *Reader) setChunkSize(b []byte) error {
	if len(b) < 4 {
		return errorf("Set Chunk Size has %d bytes of 4", len(b))
	}
	size := binary.BigEndian.Uint32(b)
	if size == 0 || size > 1<<31-1 {
		return errorf("a chunk size of %d; it must be from 1 to 2147483647", size)
	}
	r.size = int(min(size, MaxSize))
	return nil
}

func (r *Reader) abort(b []byte) error {
	if len(b) < 4 {
		return errorf("Abort has %d bytes of 4", len(b))
	}
	if s := r.find(binary.BigEndian.Uint32(b)); s != nil {
		r.drop(s)
	}
	return nil
}

// chunk reads one chunk, header and payload, and returns its stream.
func (r *Reader) chunk() (*stream, error) {
	format, id, err := r.basicHeader()
	if err != nil {
		return nil, err
	}
	s := r.find(id)
	if s == nil {
		if s, err = r.begin(format, id); err != nil {
			return nil, err
		}
	}
	if err := r.messageHeader(s, format); err != nil {
		return nil, noEOF(err)
	}
	return s, noEOF(r.payload(s, min(r.size, s.length-s.received)))
}

// begin makes a new chunk stream, whose first chunk has the given format.
func (r *Reader) begin(format uint8, id uint32) (*stream, error) {
	// librtmp and encoders made with it open streams with type 1, which leaves out the message stream.
	if format > 1 {
		return nil, errorf("chunk stream %d begins with a chunk of type %d, which continues another", id, format)
	}
	if r.streams == MaxStreams {
		return nil, errorf("more than %d chunk streams", MaxStreams)
	}
	r.streams++
	s := new(stream)
	if id < uint32(len(r.low)) {
		r.low[id] = s
		return s, nil
	}
	if r.high == nil {
		r.high = make(map[uint32]*stream)
	}
	r.high[id] = s
	return s, nil
}

func (r *Reader) find(id uint32) *stream {
	if id < uint32(len(r.low)) {
		return r.low[id]
	}
	return r.high[id]
}

// payload reads the next n bytes of the message of s. Its buffer grows as they arrive: it begins with
// what the peer has already shown to be worth, and doubles up to the declared length.
func (r *Reader) payload(s *stream, n int) error {
	if s.skip {
		s.received += n
		_, err := r.src.Discard(n)
		return err
	}
	for end := s.received + n; s.received < end; {
		if s.received == cap(s.buf) {
			if err := r.grow(s); err != nil {
				return err
			}
		}
		s.buf = s.buf[:min(end, cap(s.buf))]
		got, err := io.ReadFull(r.src, s.buf[s.received:])
		if s.received += got; err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) grow(s *stream) error {
	size := min(s.length, max(2*cap(s.buf), firstBlock))
	if trusted := min(s.length, r.proven); r.buffered+trusted-cap(s.buf) <= r.Limits.Buffered {
		size = max(size, trusted)
	}
	if r.buffered+size-cap(s.buf) > r.Limits.Buffered {
		return errorf("unfinished messages take more than %d bytes", r.Limits.Buffered)
	}
	r.buffered += size - cap(s.buf)
	buf := make([]byte, s.received, size)
	copy(buf, s.buf)
	s.buf = buf
	return nil
}

// noEOF turns the end of the source inside a chunk into an error of its own.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
