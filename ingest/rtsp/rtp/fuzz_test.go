package rtp

import (
	"encoding/binary"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
)

// cut makes payloads of fuzz input: a length of two bytes before each.
func cut(b []byte) [][]byte {
	var list [][]byte
	for len(b) >= 2 && len(list) < 64 {
		n := min(int(binary.BigEndian.Uint16(b)), len(b)-2)
		list = append(list, b[2:2+n])
		b = b[2+n:]
	}
	return list
}

// join is its inverse.
func join(list ...[]byte) []byte {
	var b []byte
	for _, p := range list {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(p))), p...)
	}
	return b
}

// FuzzNAL: what comes out of packets makes valid units, with at most as many bytes as went in.
func FuzzNAL(f *testing.F) {
	f.Add(false, join([]byte{0x67, 1, 2}, []byte{0x7c, 0x85, 1}, []byte{0x7c, 0x45, 2}))
	f.Add(false, join([]byte{0x78, 0, 2, 0x67, 1, 0, 1, 0x68}, []byte{0, 0, 0, 1, 0x65, 0, 0, 1, 0x65}))
	f.Add(true, join([]byte{0x60, 1, 0, 3, 0x42, 1, 1, 0, 3, 0x44, 1, 1}, []byte{0x62, 1, 0x93, 1}, []byte{0x62, 1, 0x53, 2}))
	f.Fuzz(func(t *testing.T, hevc bool, b []byte) {
		codec, take := media.CodecH264, AppendH264
		if hevc {
			codec, take = media.CodecHEVC, AppendHEVC
		}
		nals, err := take(nil, cut(b))
		if err != nil {
			return
		}
		var unit []byte
		size := 0
		for _, nal := range nals {
			if len(nal) == 0 {
				t.Error("an empty NAL unit")
			}
			size += len(nal)
			unit = append(binary.BigEndian.AppendUint32(unit, uint32(len(nal))), nal...)
		}
		if size > len(b) {
			t.Errorf("%d bytes of %d", size, len(b))
		}
		track, _ := mediatest.Clip(map[bool]string{false: "h264", true: "hevc"}[hevc])
		track.Codec = codec
		if err := media.ValidUnit(track, unit); err != nil {
			t.Error(err)
		}
	})
}

// FuzzAV1: what comes out is a row of whole OBUs.
func FuzzAV1(f *testing.F) {
	f.Add(join([]byte{0x10, 0x0a, 1, 2, 3}))
	f.Add(join([]byte{0x50, 0x32, 1}, []byte{0x90, 2}))
	f.Add(join([]byte{0x00, 2, 0x12, 0, 3, 0x32, 1, 9}))
	track, _ := mediatest.Clip("av1")
	f.Fuzz(func(t *testing.T, b []byte) {
		unit, header, err := AV1(cut(b))
		if err != nil {
			return
		}
		if err := media.ValidUnit(track, unit); err != nil {
			t.Error(err)
		}
		media.AV1Config(header)
		media.RandomAccess(track, unit)
	})
}

// FuzzAAC: units are pieces of what came.
func FuzzAAC(f *testing.F) {
	f.Add(byte(13), byte(3), join([]byte{0, 16, 0, 16, 1, 2}))
	f.Add(byte(6), byte(2), join([]byte{0, 8, 0x10, 1, 2, 3, 4}))
	f.Add(byte(13), byte(3), join([]byte{0, 16, 0, 32, 1, 2}, []byte{0, 16, 0, 32, 3, 4}))
	f.Fuzz(func(t *testing.T, size, index byte, b []byte) {
		units, err := AACHeaders{int(size % 33), int(index % 33), int(index % 33)}.Units(cut(b))
		total := 0
		for _, u := range units {
			total += len(StripADTS(u))
		}
		if err == nil && total > len(b) {
			t.Errorf("%d bytes of %d", total, len(b))
		}
	})
}

// FuzzMPEGAudio: frames are pieces of what came, no longer than they may be.
func FuzzMPEGAudio(f *testing.F) {
	f.Add(join([]byte{0, 0, 0, 0, 0xFF, 0xFB, 0x90, 0x44}, []byte{0, 0, 0, 4, 1, 2}, []byte{0, 0, 0, 6, 1, 2}))
	f.Add(join(append([]byte{0, 0, 0, 0, 0xFF, 0xE3, 0x18, 0xC4}, make([]byte, 68)...), []byte{0, 0, 0, 0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m MPEGAudio
		total := 0
		for i, p := range cut(b) {
			frames, err := m.Frames(p, i%5 == 4)
			if err != nil && frames != nil {
				t.Error("frames and an error")
			}
			total += len(frames)
			if len(m.partial) > maxMPEGAudio {
				t.Fatalf("%d bytes are kept", len(m.partial))
			}
		}
		if total > len(b) {
			t.Errorf("%d bytes of %d", total, len(b))
		}
	})
}

// FuzzLATM: a configuration, in band or not, and elements under it.
func FuzzLATM(f *testing.F) {
	f.Add(false, []byte{0x40, 0x00, 0x23, 0x20, 0x3f, 0xc0}, join([]byte{3, 1, 2, 3}))
	f.Add(false, []byte{0x40, 0x00, 0x23, 0x20, 0xad, 0xca, 0, 0, 0}, join([]byte{255, 1}))
	f.Add(false, []byte{0x40, 0x00, 0x23, 0x20, 0x80}, join([]byte{0}))
	f.Add(true, []byte{}, join([]byte{0x20, 0x00, 0x11, 0x90, 0x1f, 0xe0, 0x04, 1, 2}))
	f.Add(false, []byte{0xc0, 0x10, 0x00, 0x40, 0x23, 0x20, 0x3f, 0xc0}, join([]byte{1, 1}))
	f.Fuzz(func(t *testing.T, inBand bool, mux, b []byte) {
		l := LATM{InBand: inBand}
		if !inBand {
			if err := l.ParseMux(mux); err != nil {
				return
			}
			if _, err := media.ParseConfig(media.Track{Codec: media.CodecAAC, Config: l.Config()}); err != nil && len(l.Config()) == 0 {
				t.Errorf("configuration of nothing: %v", err)
			}
		}
		list := cut(b)
		if len(list) == 0 {
			return
		}
		for range 2 {
			units, _, err := l.Units(list)
			total := 0
			for _, u := range units {
				total += len(u)
			}
			if err == nil && total > len(b) {
				t.Errorf("%d bytes of %d", total, len(b))
			}
		}
	})
}

// FuzzPackets runs packets through a sequencer and an assembler: every packet comes out at most once, in
// order, and a frame is either broken or in one piece.
func FuzzPackets(f *testing.F) {
	f.Add(true, []byte{0, 1, 0x81, 2, 0x81, 3, 0x81})
	f.Add(true, []byte{1, 0x80, 3, 0x81, 2, 0x82, 9, 0x83})
	f.Add(false, []byte{0, 0, 5, 0x80, 200, 1, 201, 1, 202, 1})
	f.Fuzz(func(t *testing.T, wait bool, b []byte) {
		s := &Sequencer{}
		if wait {
			s.Wait = 20 * time.Millisecond
		}
		a := &Assembler{Picture: func(p []byte) bool { return p[0]&0x40 == 0 }}
		now := time.Unix(1000, 0)
		in, out := 0, 0
		frame := func(fr Frame) {
			if fr.Broken != (fr.Payloads == nil) {
				t.Errorf("broken %v, with %d packets", fr.Broken, len(fr.Payloads))
			}
			for i := 1; i < len(fr.Payloads); i++ {
				if a, b := fr.Payloads[i-1], fr.Payloads[i]; binary.BigEndian.Uint16(b[1:])-binary.BigEndian.Uint16(a[1:]) != 1 {
					t.Errorf("packets %x and %x are in one frame", a, b)
				}
			}
		}
		last, begun := uint16(0), false
		ordered := func(p Ordered) {
			out++
			if begun && !p.Restart && (p.Sequence-last != 1) != p.Gap {
				t.Errorf("packet %d behind %d, gap %v", p.Sequence, last, p.Gap)
			}
			last, begun = p.Sequence, true
			a.Push(p, frame)
		}
		for i := 0; i+1 < len(b); i += 2 {
			in++
			now = now.Add(time.Duration(b[i+1]&15) * time.Millisecond)
			p := Packet{Sequence: uint16(b[i]) * 37, SSRC: uint32(b[i+1] >> 6 & 1), Marker: b[i+1]&0x80 != 0, Timestamp: uint32(b[i+1] & 3), Arrived: now}
			if b[i] < 128 {
				p.Sequence = uint16(b[i])
			}
			p.Payload = binary.BigEndian.AppendUint16([]byte{b[i+1]}, p.Sequence)
			s.Expire(now, ordered)
			s.Push(p, ordered)
		}
		s.Expire(now.Add(time.Hour), ordered)
		if out > in {
			t.Errorf("%d packets of %d", out, in)
		}
		if s.Lost < 0 || s.Late < 0 {
			t.Errorf("lost %d, late %d", s.Lost, s.Late)
		}
	})
}
