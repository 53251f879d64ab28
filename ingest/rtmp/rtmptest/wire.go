package rtmptest

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"pushcart/ingest/rtmp/amf"
)

// Message types.
const (
	typeSetChunkSize = 1
	typeAck          = 3
	typeUserControl  = 4
	typeAudio        = 8
	typeVideo        = 9
	typeDataAMF3     = 15
	typeCommandAMF3  = 17
	typeDataAMF0     = 18
	typeCommandAMF0  = 20
)

// handshake does the client's side and checks the server's: the echo, or the digests.
func handshake(r io.Reader, w io.Writer, digest int) error {
	c1 := make([]byte, 1536)
	rand.Read(c1[8:])
	copy(c1, []byte{0, 0, 0, 1, 0, 0, 0, 0})
	var mine []byte
	if digest > 0 {
		copy(c1[4:], []byte{10, 0, 45, 2})
		at := digestAt(c1, digest)
		mine = sum([]byte("Genuine Adobe Flash Player 001"), c1[:at], c1[at+32:])
		copy(c1[at:], mine)
	}
	if _, err := w.Write(append([]byte{3}, c1...)); err != nil {
		return err
	}
	s := make([]byte, 1+2*1536)
	if _, err := io.ReadFull(r, s); err != nil {
		return err
	}
	s1, s2 := s[1:1537], s[1537:]
	switch {
	case s[0] != 3:
		return fmt.Errorf("the server's version is %d", s[0])
	case digest == 0 && !bytes.Equal(s2, c1):
		return errors.New("S2 is no echo of C1")
	case digest > 0:
		at := digestAt(s1, digest)
		if !bytes.Equal(s1[at:at+32], sum([]byte("Genuine Adobe Flash Media Server 001"), s1[:at], s1[at+32:])) {
			return errors.New("S1 has no valid digest")
		}
		key := sum(append([]byte("Genuine Adobe Flash Media Server 001"), fmsTail...), mine)
		if !bytes.Equal(s2[1504:], sum(key, s2[:1504])) {
			return errors.New("S2 has no valid digest")
		}
	}
	_, err := w.Write(s1)
	return err
}

var fmsTail = []byte("\xf0\xee\xc2\x4a\x80\x68\xbe\xe8\x2e\x00\xd0\xd1\x02\x9e\x7e\x57\x6e\xec\x5d\x2d\x29\x80\x6f\xab\x93\xb8\xe6\x36\xcf\xeb\x31\xae")

func digestAt(b []byte, scheme int) int {
	base := 8
	if scheme == 2 {
		base = 772
	}
	n := 0
	for _, v := range b[base : base+4] {
		n += int(v)
	}
	return n%728 + base + 4
}

func sum(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// SetChunkSize tells the server of a chunk size and uses it, if it can be used.
func (c *Client) SetChunkSize(size uint32) error {
	err := c.Message(2, typeSetChunkSize, 0, 0, binary.BigEndian.AppendUint32(nil, size))
	if size > 0 && size < 1<<31 {
		c.chunkSize = int(size)
	}
	return err
}

// Command sends a command with the given transaction and arguments, the command object first.
func (c *Client) Command(stream uint32, name string, transaction int, args ...any) error {
	b := amf.Append(amf.Append(nil, name, transaction), args...)
	if c.options.AMF3 {
		return c.Message(3, typeCommandAMF3, 0, stream, append([]byte{0}, b...))
	}
	return c.Message(3, typeCommandAMF0, 0, stream, b)
}

// WriteVideo sends the payload of a video message.
func (c *Client) WriteVideo(time uint32, payload []byte) error {
	return c.Message(6, typeVideo, time, c.stream, payload)
}

// WriteAudio sends the payload of an audio message.
func (c *Client) WriteAudio(time uint32, payload []byte) error {
	return c.Message(4, typeAudio, time, c.stream, payload)
}

// WriteData sends a data message made of values, its name first.
func (c *Client) WriteData(time uint32, values ...any) error {
	b := amf.Append(nil, values...)
	if c.options.AMF3 {
		return c.Message(5, typeDataAMF3, time, c.stream, append([]byte{0}, b...))
	}
	return c.Message(5, typeDataAMF0, time, c.stream, b)
}

// Message sends any message, with a header of type 0.
func (c *Client) Message(chunkStream uint8, messageType uint8, time, stream uint32, payload []byte) error {
	return c.Write(c.Chunks(chunkStream, messageType, time, stream, payload))
}

// Chunks returns the bytes of a message. They are valid until the next call.
func (c *Client) Chunks(chunkStream uint8, messageType uint8, time, stream uint32, payload []byte) []byte {
	field := time
	if time >= 0xFFFFFF {
		field = 0xFFFFFF
	}
	w := bytes.NewBuffer(c.out[:0])
	w.WriteByte(chunkStream)
	w.Write([]byte{byte(field >> 16), byte(field >> 8), byte(field)})
	w.Write([]byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), messageType})
	binary.Write(w, binary.LittleEndian, stream)
	if field == 0xFFFFFF {
		binary.Write(w, binary.BigEndian, time)
	}
	for i, n := 0, 0; i < len(payload); i += n {
		if i > 0 {
			w.WriteByte(0xC0 | chunkStream)
			if field == 0xFFFFFF && !c.options.OmitRepeatedTime {
				binary.Write(w, binary.BigEndian, time)
			}
		}
		n = min(c.chunkSize, len(payload)-i)
		w.Write(payload[i : i+n])
	}
	c.out = w.Bytes()
	return c.out
}

// Write sends raw bytes.
func (c *Client) Write(b []byte) error {
	c.nc.SetWriteDeadline(time.Now().Add(timeout))
	_, err := c.nc.Write(b)
	return err
}

// read takes in what the server says until the connection ends.
func (c *Client) read(src *bufio.Reader) {
	err := c.messages(src)
	c.mu.Lock()
	c.err = err
	c.mu.Unlock()
	close(c.answers)
	close(c.status)
}

// messages reads chunks as far as servers make use of them: headers of type 0 and 3.
func (c *Client) messages(src *bufio.Reader) error {
	type partial struct {
		kind byte
		data []byte
		want int
	}
	size := 128
	streams := map[byte]*partial{}
	for {
		first, err := src.ReadByte()
		if err != nil {
			return err
		}
		id := first & 0x3F
		p := streams[id]
		switch first >> 6 {
		case 0:
			var h [11]byte
			if _, err := io.ReadFull(src, h[:]); err != nil {
				return err
			}
			if h[0]&h[1]&h[2] == 0xFF {
				return errors.New("the server sends an extended timestamp")
			}
			p = &partial{kind: h[6], want: int(h[3])<<16 | int(h[4])<<8 | int(h[5])}
			streams[id] = p
		case 3:
			if p == nil {
				return fmt.Errorf("chunk stream %d begins with type 3", id)
			}
		default:
			return fmt.Errorf("the server sends a chunk of type %d", first>>6)
		}
		b := make([]byte, min(size, p.want-len(p.data)))
		if _, err := io.ReadFull(src, b); err != nil {
			return err
		}
		if p.data = append(p.data, b...); len(p.data) < p.want {
			continue
		}
		if p.kind == typeSetChunkSize {
			size = int(binary.BigEndian.Uint32(p.data))
		}
		c.take(p.kind, p.data)
		p.data = nil
	}
}

// take files one message of the server's.
func (c *Client) take(kind byte, data []byte) {
	switch kind {
	case typeAck:
		c.mu.Lock()
		c.acks = append(c.acks, binary.BigEndian.Uint32(data))
		c.mu.Unlock()
	case typeUserControl:
		if data[1] == 7 {
			c.pong <- binary.BigEndian.Uint32(data[2:])
		}
	case typeCommandAMF0:
		r := amf.NewReader(data)
		a := answer{name: r.String(), transaction: r.Number()}
		for r.More() {
			a.args = append(a.args, r.Value())
		}
		switch {
		case a.name == "onStatus" && len(a.args) == 2:
			o := amf.Members(a.args[1])
			c.status <- Status{o.String("level"), o.String("code"), o.String("description")}
		case a.name == "_result" || a.name == "_error":
			c.answers <- a
		}
	}
}
