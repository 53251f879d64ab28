package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// RTMP message types (Adobe RTMP specification, sections 5.4 and 7.1).
const (
	msgSetChunkSize = 1
	msgUserControl  = 4
	msgAudio        = 8
	msgVideo        = 9
	msgData         = 18
	msgCommand      = 20
)

// Chunk stream ids, those that ffmpeg and OBS use.
const (
	csControl = 2
	csCommand = 3
	csAudio   = 4
	csVideo   = 6
)

func csid(kind byte) byte {
	switch kind {
	case msgSetChunkSize, msgUserControl:
		return csControl
	case msgVideo:
		return csVideo
	case msgCommand:
		return csCommand
	}
	return csAudio
}

// body is the payload of a message, cut into chunks beforehand: publishers of the same show share it.
type body struct {
	kind    byte
	payload []byte
	chunked []byte // payload with the type 3 headers that belong between its chunks
}

func newBody(kind byte, payload []byte, chunkSize int) *body {
	return &body{kind, payload, cut(payload, chunkSize, []byte{0xc0 | csid(kind)})}
}

// cut puts between every chunkSize bytes of payload what separates two chunks.
func cut(payload []byte, chunkSize int, between []byte) []byte {
	if len(payload) <= chunkSize {
		return payload
	}
	var out []byte
	for len(payload) > chunkSize {
		out = append(append(out, payload[:chunkSize]...), between...)
		payload = payload[chunkSize:]
	}
	return append(out, payload...)
}

// extended is the timestamp from which a chunk carries it in a field of its own (section 5.3.1.3).
const extended = 0xffffff

// head appends the header of the message's first chunk, of type 0, and returns what follows it.
func (m *body) head(b []byte, timestamp uint32, streamID uint32, chunkSize int) (header, rest []byte) {
	short := min(timestamp, extended)
	b = append(b, csid(m.kind), byte(short>>16), byte(short>>8), byte(short),
		byte(len(m.payload)>>16), byte(len(m.payload)>>8), byte(len(m.payload)), m.kind)
	b = binary.LittleEndian.AppendUint32(b, streamID)
	if timestamp < extended {
		return b, m.chunked
	}
	between := binary.BigEndian.AppendUint32([]byte{0xc0 | csid(m.kind)}, timestamp)
	return append(b, between[1:]...), cut(m.payload, chunkSize, between)
}

// maxServerMessage bounds what a server may send to a publisher: commands only.
const maxServerMessage = 1 << 16

// chunkReader puts a server's messages together. It knows what servers send to publishers: type 0 to 3
// chunks, chunk stream ids below 64.
type chunkReader struct {
	r       *bufio.Reader
	size    int
	streams [64]struct {
		kind     byte
		length   int
		extended bool
		data     []byte
	}
}

// next returns the next message; its payload belongs to the caller.
func (c *chunkReader) next() (kind byte, payload []byte, err error) {
	for {
		first, err := c.r.ReadByte()
		if err != nil {
			return 0, nil, err
		}
		if first&63 < 2 {
			return 0, nil, errors.New("the server uses chunk stream ids above 63")
		}
		s := &c.streams[first&63]
		var h [11]byte
		header := h[:[]int{11, 7, 3, 0}[first>>6]]
		if _, err := io.ReadFull(c.r, header); err != nil {
			return 0, nil, err
		}
		if len(header) > 0 {
			s.extended = header[0] == 0xff && header[1] == 0xff && header[2] == 0xff
		}
		if len(header) > 3 {
			s.length, s.kind = int(header[3])<<16|int(header[4])<<8|int(header[5]), header[6]
		}
		if s.length > maxServerMessage {
			return 0, nil, fmt.Errorf("the server sent a message of %d bytes", s.length)
		}
		if s.extended {
			if _, err := c.r.Discard(4); err != nil {
				return 0, nil, err
			}
		}
		have := len(s.data)
		s.data = append(s.data, make([]byte, min(c.size, s.length-have))...)
		if _, err := io.ReadFull(c.r, s.data[have:]); err != nil {
			return 0, nil, err
		}
		if len(s.data) < s.length {
			continue
		}
		kind, payload, s.data = s.kind, s.data, nil
		if kind == msgSetChunkSize && len(payload) >= 4 {
			c.size = max(1, int(binary.BigEndian.Uint32(payload)&0xffffff))
		}
		return kind, payload, nil
	}
}
