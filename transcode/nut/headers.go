package nut

import (
	"bytes"
	"fmt"
	"math"
)

// fields reads the numbers of a packet's body and keeps its first error.
type fields struct {
	b   []byte
	err error
}

func (f *fields) v() uint64 {
	if f.err != nil {
		return 0
	}
	r := bytes.NewReader(f.b)
	v, err := readV(r)
	if err != nil {
		f.err = fmt.Errorf("%w: a header is cut off", ErrFormat)
		return 0
	}
	f.b = f.b[len(f.b)-r.Len():]
	return v
}

// s reads a number that has a sign.
func (f *fields) s() int64 {
	v := f.v()
	if v&1 != 0 {
		return int64(v/2 + 1)
	}
	return -int64(v / 2)
}

// atMost reads a number that has a maximum.
func (f *fields) atMost(what string, most uint64) uint64 {
	v := f.v()
	if f.err == nil && v > most {
		f.err = fmt.Errorf("%s %d: %w", what, v, ErrLimit)
		return 0
	}
	return v
}

// vb reads bytes with their length in front.
func (f *fields) vb(what string, most int) []byte {
	n := int(f.atMost(what, uint64(most)))
	if f.err == nil && n > len(f.b) {
		f.err = fmt.Errorf("%w: a header is cut off", ErrFormat)
	}
	if f.err != nil {
		return nil
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

// mainHeader reads the table of frame codes and the like. A repeated one is not looked at.
func (r *Reader) mainHeader(body []byte) error {
	if len(r.streams) > 0 {
		return nil
	}
	f := &fields{b: body}
	version := f.v()
	if f.err == nil && version != 3 && version != 4 {
		return fmt.Errorf("%w: version %d", ErrFormat, version)
	}
	if version == 4 {
		f.v() // minor version
	}
	streams := f.atMost("streams", maxStreams)
	f.v() // max_distance
	bases := f.atMost("time bases", maxTimeBases)
	for range bases {
		b := timeBase{int64(f.atMost("time base", math.MaxInt32)), int64(f.atMost("time base", math.MaxInt32))}
		if f.err == nil && (b.num == 0 || b.den == 0) {
			return fmt.Errorf("%w: a time base of %d/%d", ErrFormat, b.num, b.den)
		}
		r.bases = append(r.bases, b)
	}
	if f.err == nil && (streams == 0 || bases == 0) {
		return fmt.Errorf("%w: no streams or no time bases", ErrFormat)
	}
	r.frameCodes(f)
	r.elisionHeaders(f)
	if f.err != nil {
		return f.err
	}
	r.streams = make([]streamState, streams)
	return nil
}

// frameCodes reads the table, which is written in runs.
func (r *Reader) frameCodes(f *fields) {
	const bits16 = 1<<16 - 1
	c := frameCode{mul: 1}
	for i := 0; i < len(r.codes) && f.err == nil; {
		c.flags = f.v()
		n := f.v()
		c.lsb, c.reserved = 0, 0
		if n > 0 {
			c.ptsDelta = f.s()
		}
		if n > 1 {
			c.mul = f.atMost("size factor", bits16)
		}
		if n > 2 {
			c.stream = f.atMost("stream", maxStreams)
		}
		if n > 3 {
			c.lsb = f.atMost("size", bits16)
		}
		if n > 4 {
			c.reserved = f.atMost("reserved fields", bits16)
		}
		count := int(c.mul) - int(c.lsb)
		if n > 5 {
			count = int(f.atMost("frame codes", uint64(len(r.codes))))
		}
		if n > 6 {
			f.s() // match_time_delta
		}
		if n > 7 {
			c.header = f.atMost("elision header", maxElided)
		}
		for ; n > 8 && f.err == nil; n-- {
			f.v()
		}
		i = r.fill(f, i, count, c)
	}
}

// fill puts a run of codes into the table and returns where the next begins. Code 'N' is invalid, and is in no
// run.
func (r *Reader) fill(f *fields, i, count int, c frameCode) int {
	if f.err == nil && count <= 0 {
		f.err = fmt.Errorf("%w: a run of %d frame codes", ErrFormat, count)
	}
	lsb := c.lsb
	for j := 0; j < count && f.err == nil; i++ {
		switch {
		case i == len(r.codes):
			f.err = fmt.Errorf("%w: more than 256 frame codes", ErrFormat)
			return i
		case i == 'N':
			r.codes[i].flags = flagInvalid
			continue
		}
		c.lsb = lsb + uint64(j)
		r.codes[i] = c
		j++
	}
	return i
}

const (
	maxElided      = 127
	maxElidedBytes = 1024
)

// elisionHeaders reads what frames of a small size may leave out.
func (r *Reader) elisionHeaders(f *fields) {
	r.elided = [][]byte{nil}
	if f.err != nil || len(f.b) == 0 {
		return
	}
	left := maxElidedBytes
	for range f.atMost("elision headers", maxElided) {
		h := f.vb("elision header", left)
		left -= len(h)
		r.elided = append(r.elided, bytes.Clone(h))
	}
}

// streamHeader reads one. A repeated one is not looked at.
func (r *Reader) streamHeader(body []byte) error {
	f := &fields{b: body}
	id := f.v()
	switch {
	case f.err != nil:
		return f.err
	case id >= uint64(len(r.streams)):
		return fmt.Errorf("%w: a header of stream %d", ErrFormat, id)
	case r.streams[id].known:
		return nil
	}
	s := &r.streams[id]
	class := f.v()
	s.Audio = class == 1
	s.Tag = string(f.vb("codec tag", 4))
	base := f.v()
	s.msbShift = uint(f.atMost("timestamp shift", 16))
	f.v() // max_pts_distance
	f.v() // decode_delay
	f.v() // flags
	s.Extradata = bytes.Clone(f.vb("configuration", MaxExtradata))
	if s.Audio {
		s.SampleRate = int(f.atMost("sampling rate", math.MaxInt32))
		f.v()
		s.Channels = int(f.atMost("channels", math.MaxInt32))
	} else {
		s.Width = int(f.atMost("width", math.MaxInt32))
		s.Height = int(f.atMost("height", math.MaxInt32))
	}
	switch {
	case f.err != nil:
		return f.err
	case class > 1:
		return fmt.Errorf("%w: a stream of class %d", ErrFormat, class)
	case base >= uint64(len(r.bases)):
		return fmt.Errorf("%w: time base %d", ErrFormat, base)
	}
	s.base = r.bases[base]
	if s.base.num != 1 {
		return fmt.Errorf("%w: a time base of %d/%d", ErrFormat, s.base.num, s.base.den)
	}
	s.Timescale = s.base.den
	s.known = true
	return nil
}
