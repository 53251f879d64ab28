// Package mediatest makes tracks and access units for the tests of every room: the same bytes and the same
// times at every run.
//
// Video and Audio are synthetic: right in everything that a packager looks at (configuration, framing,
// NAL unit types, times), with patterns where pictures and sounds would be. They go on for ever and cost
// nothing, so that a test can run an hour of a show. Clip is real: a second or two from a real encoder, for
// tests that decode what comes out.
package mediatest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"pushcart/media"
)

// Video is an H.264 track of 640x360, High profile. The zero value is a track with ID 1, 90 kHz, 30 frames a
// second, a keyframe every 60, and no B-frames.
type Video struct {
	ID        int   // zero: 1
	Timescale int64 // zero: 90000. With 1000, times are rounded as RTMP encoders do
	// RateNum/RateDen is the frame rate; zero: 30/1.
	RateNum, RateDen int64
	GOP              int // pictures from keyframe to keyframe; zero: 60
	// BFrames is the number of B-frames between two reference pictures. GOPs are closed. With B-frames,
	// presentation is one picture late, so that PTS is never below DTS.
	BFrames int
	Start   int64  // DTS of the first unit, in ticks
	Bytes   int    // size of a unit; zero: 1000. Keyframes have five times as much
	Config  []byte // AVCDecoderConfigurationRecord; nil: one of ours
}

// Audio is an AAC-LC track, stereo. The zero value is a track with ID 2, at 48 kHz in ticks of 1/48000 s.
type Audio struct {
	ID         int   // zero: 2
	SampleRate int   // zero: 48000
	Timescale  int64 // zero: SampleRate. With 1000, times are rounded as RTMP encoders do
	Start      int64 // DTS of the first unit, in ticks
	Bytes      int   // size of a unit; zero: 300
	Language   string
}

// avcConfig is x264's for 640x360, High profile, 30 frames a second.
var avcConfig = []byte{
	0x01, 0x64, 0x00, 0x1e, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9, 0x40, 0xa0,
	0x2f, 0xf9, 0x70, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x3c, 0x0f, 0x16,
	0x2d, 0x96, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0x00,
}

// Track describes v.
func (v Video) Track() media.Track {
	v = v.filled()
	return media.Track{
		ID: v.ID, Codec: media.CodecH264, Timescale: v.Timescale, Config: v.Config,
		FrameRate: float64(v.RateNum) / float64(v.RateDen),
	}
}

func (v Video) filled() Video {
	v.ID = cmp.Or(v.ID, 1)
	v.Timescale = cmp.Or(v.Timescale, 90000)
	if v.RateNum == 0 || v.RateDen == 0 {
		v.RateNum, v.RateDen = 30, 1
	}
	v.GOP = max(cmp.Or(v.GOP, 60), 1)
	v.Bytes = cmp.Or(v.Bytes, 1000)
	if v.Config == nil {
		v.Config = avcConfig
	}
	return v
}

// Unit returns unit i in decoding order, from 0.
func (v Video) Unit(i int) media.AccessUnit {
	v = v.filled()
	shown, key, reference := i, i%v.GOP == 0, true
	if v.BFrames > 0 {
		var inGOP int
		inGOP, reference = v.order(i % v.GOP)
		shown = i - i%v.GOP + inGOP + 1
	}
	header, size := byte(0x41), v.Bytes // a slice that is no IDR
	switch {
	case key:
		header, size = 0x65, 5*v.Bytes
	case !reference:
		header = 0x01
	}
	return media.AccessUnit{
		Track: v.ID, DTS: v.ticks(i), PTS: v.ticks(shown), RandomAccess: key,
		Data: nalUnit(header, size, i),
	}
}

// order returns where in its GOP the picture is shown that is the i-th to be decoded, and whether others
// refer to it.
func (v Video) order(i int) (shown int, reference bool) {
	if i == 0 {
		return 0, true
	}
	group := (i - 1) / (v.BFrames + 1)
	first := group*(v.BFrames+1) + 1
	last := min(first+v.BFrames, v.GOP-1)
	if i == first {
		return last, true
	}
	return i - 1, false
}

// ticks returns the time of picture i, rounded to the nearest tick.
func (v Video) ticks(i int) int64 {
	return v.Start + media.Rescale(int64(i)*v.RateDen, v.RateNum, v.Timescale)
}

// Units returns the first n units.
func (v Video) Units(n int) []media.AccessUnit { return units(n, v.Unit) }

// Track describes a.
func (a Audio) Track() media.Track {
	a = a.filled()
	return media.Track{
		ID: a.ID, Codec: media.CodecAAC, Timescale: a.Timescale, Config: aacConfig(a.SampleRate),
		Language: a.Language,
	}
}

func (a Audio) filled() Audio {
	a.ID = cmp.Or(a.ID, 2)
	a.SampleRate = cmp.Or(a.SampleRate, 48000)
	a.Timescale = cmp.Or(a.Timescale, int64(a.SampleRate))
	a.Bytes = cmp.Or(a.Bytes, 300)
	return a
}

// Unit returns unit i, from 0.
func (a Audio) Unit(i int) media.AccessUnit {
	const frameSamples = 1024
	a = a.filled()
	at := a.Start + media.Rescale(int64(i)*frameSamples, int64(a.SampleRate), a.Timescale)
	return media.AccessUnit{
		Track: a.ID, DTS: at, PTS: at, RandomAccess: true,
		Data: pattern(make([]byte, 0, a.Bytes), a.Bytes, i),
	}
}

// Units returns the first n units.
func (a Audio) Units(n int) []media.AccessUnit { return units(n, a.Unit) }

// Data returns a message on the data track with that ID, with its time in milliseconds.
func Data(id int, ms int64, amf []byte) (media.Track, media.AccessUnit) {
	return media.Track{ID: id, Codec: media.CodecAMF0, Timescale: 1000},
		media.AccessUnit{Track: id, DTS: ms, PTS: ms, RandomAccess: true, Data: amf}
}

// Index returns the number that a unit of Video or Audio was made with, -1 if data is none of them.
func Index(data []byte) int {
	i := bytes.Index(data, []byte(indexMark))
	if i < 0 || len(data) < i+len(indexMark)+indexDigits {
		return -1
	}
	n, err := strconv.Atoi(string(data[i+len(indexMark):][:indexDigits]))
	if err != nil {
		return -1
	}
	return n
}

// Interleave puts units of several tracks into one row by DTS, as a host sends them. Units of equal time
// keep the order of the arguments.
func Interleave(tracks []media.Track, rows ...[]media.AccessUnit) []media.AccessUnit {
	scale := map[int]int64{}
	for _, t := range tracks {
		scale[t.ID] = t.Timescale
	}
	all := slices.Concat(rows...)
	slices.SortStableFunc(all, func(a, b media.AccessUnit) int {
		return cmp.Compare(media.Duration(a.DTS, scale[a.Track]), media.Duration(b.DTS, scale[b.Track]))
	})
	return all
}

func units(n int, unit func(int) media.AccessUnit) []media.AccessUnit {
	all := make([]media.AccessUnit, n)
	for i := range all {
		all[i] = unit(i)
	}
	return all
}

// aacConfig is an AudioSpecificConfig: AAC-LC, stereo, frames of 1024 samples.
func aacConfig(rate int) []byte {
	rates := []int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}
	i := slices.Index(rates, rate)
	if i < 0 {
		panic(fmt.Sprintf("mediatest: no AAC sampling frequency index for %d Hz", rate))
	}
	return binary.BigEndian.AppendUint16(nil, uint16(2<<11|i<<7|2<<3))
}

const (
	indexMark   = "unit "
	indexDigits = 9
)

// nalUnit makes a unit of size bytes: a length of four bytes, a NAL unit header, and a pattern that needs
// no emulation prevention.
func nalUnit(header byte, size, i int) []byte {
	size = max(size, 5+len(indexMark)+indexDigits)
	b := make([]byte, 0, size)
	b = binary.BigEndian.AppendUint32(b, uint32(size-4))
	b = append(b, header)
	return pattern(b, size, i)
}

// pattern fills b up to size bytes: the number i in digits, then bytes that differ from unit to unit.
func pattern(b []byte, size, i int) []byte {
	b = fmt.Appendf(b, "%s%0*d", indexMark, indexDigits, i)
	for n := 0; len(b) < size; n++ {
		b = append(b, byte(0x80|(i+n)&0x7F))
	}
	return b
}
