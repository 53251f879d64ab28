package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// maxFile is the largest FLV file that is read: it is kept in memory.
const maxFile = 1 << 30

// recording is an FLV file (Adobe FLV specification 10.1, annex E) as messages. Its tag bodies are RTMP
// bodies already, so any codec that a file can hold can be pushed.
type recording struct {
	messages []message
	period   time.Duration // from the start to its repetition
}

// readFLV reads a file of audio, video and script tags.
func readFLV(name string, chunkSize int) (*recording, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, err
	}
	if len(b) < 13 || string(b[:3]) != "FLV" {
		return nil, fmt.Errorf("%s: not an FLV file", name)
	}
	rec := &recording{}
	pictures, first, last := 0, time.Duration(0), time.Duration(0)
	for b = b[min(len(b), int(binary.BigEndian.Uint32(b[5:]))+4):]; len(b) >= 11; {
		size := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if len(b) < 11+size {
			break // a recording that was cut off
		}
		ms := int(b[7])<<24 | int(b[4])<<16 | int(b[5])<<8 | int(b[6])
		m := message{at: time.Duration(ms) * time.Millisecond, picture: -1}
		kind, payload := b[0]&0x1f, b[11:11+size]
		b = b[min(len(b), 11+size+4):]
		switch kind {
		case msgVideo:
			m.picture = pictures
			if pictures++; pictures == 1 {
				first = m.at
			}
			last = m.at
		case msgData:
			payload = append(appendAMF(nil, "@setDataFrame"), payload...)
		case msgAudio:
		default:
			continue
		}
		m.body = newBody(kind, payload, chunkSize)
		rec.messages = append(rec.messages, m)
	}
	if pictures < 3 {
		return nil, errors.New(name + ": fewer than three video tags")
	}
	// The codec configuration counts as a video tag, so there are two intervals fewer than tags.
	rec.period = last - first + (last-first)/time.Duration(pictures-2)
	for len(rec.messages) > 0 && rec.messages[len(rec.messages)-1].at >= rec.period+first {
		rec.messages = rec.messages[:len(rec.messages)-1] // sound beyond the last picture would overlap
	}
	return rec, nil
}

// fileCursor walks over a recording, once or for ever.
type fileCursor struct {
	*recording
	loop   bool
	i      int
	offset time.Duration
}

func (c *fileCursor) next() (message, bool) {
	if c.i == len(c.messages) {
		if !c.loop {
			return message{}, false
		}
		c.i, c.offset = 0, c.offset+c.period
	}
	m := c.messages[c.i]
	m.at += c.offset
	c.i++
	return m, true
}
