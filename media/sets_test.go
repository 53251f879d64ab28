package media_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
)

// configSets takes the parameter sets out of a configuration.
func configSets(t testing.TB, track media.Track) [][]byte {
	t.Helper()
	var nals [][]byte
	c := track.Config
	take := func(n int) {
		for range n {
			size := int(binary.BigEndian.Uint16(c))
			nals = append(nals, c[2:2+size])
			c = c[2+size:]
		}
	}
	if track.Codec == media.CodecH264 {
		n := int(c[5] & 31)
		c = c[6:]
		take(n)
		n, c = int(c[0]), c[1:]
		take(n)
		return nals
	}
	arrays := int(c[22])
	c = c[23:]
	for range arrays {
		n := int(binary.BigEndian.Uint16(c[1:]))
		c = c[3:]
		take(n)
	}
	return nals
}

// TestSetsMakeConfigurations takes encoders' parameter sets apart and puts them together again: what comes
// out says the same of the pictures.
func TestSetsMakeConfigurations(t *testing.T) {
	for _, name := range []string{"h264", "h264b", "hevc"} {
		track, units := mediatest.Clip(name)
		s := media.NewSets(track.Codec)
		if _, err := s.Config(nil); err == nil {
			t.Errorf("%s: a configuration of nothing", name)
		}
		for _, nal := range configSets(t, track) {
			if isSet, changed := s.Add(nal); isSet != changed {
				t.Errorf("%s: set %x: set %v, news %v", name, nal[:2], isSet, changed)
			}
			if _, changed := s.Add(nal); changed {
				t.Errorf("%s: the same set is news again", name)
			}
		}
		var slice []byte
		for nal := range media.NALUnits(media.NALLengthSize(track), units[0].Data) {
			if isSet, _ := s.Add(nal); isSet {
				continue
			}
			if typ := nal[0] & 31; track.Codec == media.CodecH264 && typ == 5 || track.Codec == media.CodecHEVC && nal[0]>>1 < 32 {
				slice = nal
				break
			}
		}
		for _, slice := range [][]byte{nil, slice} {
			config, err := s.Config(slice)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, want := track, track
			got.Config = config
			g, err := media.ParseConfig(got)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			w, _ := media.ParseConfig(want)
			if g != w {
				t.Errorf("%s: the format is %+v, want %+v", name, g, w)
			}
			if track.Codec == media.CodecH264 && !bytes.Equal(config, track.Config) {
				t.Errorf("%s: %x\nwant %x", name, config, track.Config)
			}
		}
	}
}

// TestAV1Config makes the record again that the encoder's muxer has made.
func TestAV1Config(t *testing.T) {
	track, _ := mediatest.Clip("av1")
	obu := track.Config[4:]
	size := int(obu[1])
	got, err := media.AV1Config(obu[2 : 2+size])
	if err != nil || !bytes.Equal(got, track.Config) {
		t.Errorf("%v: %x\nwant %x", err, got, track.Config)
	}
}

// TestReorderDepth asks real configurations, one of them with B-frames.
func TestReorderDepth(t *testing.T) {
	for name, want := range map[string]int{"h264": 0, "h264b": 2, "hevc": 2, "av1": 0} {
		track, units := mediatest.Clip(name)
		depth, known := media.ReorderDepth(track)
		least := 0 // what the pictures themselves need
		for i, au := range units {
			n := 0
			for _, before := range units[:i] {
				if before.PTS > au.PTS {
					n++
				}
			}
			least = max(least, n)
		}
		if !known || depth != want || depth < least {
			t.Errorf("%s: depth %d, known %v, want %d; its pictures need %d", name, depth, known, want, least)
		}
	}
}

// TestPictureOrder reads the order of real pictures.
func TestPictureOrder(t *testing.T) {
	track, units := mediatest.Clip("h264b")
	s := media.NewSets(track.Codec)
	for _, nal := range configSets(t, track) {
		s.Add(nal)
	}
	var start int64
	for _, au := range units {
		if au.RandomAccess {
			start = au.PTS
		}
		for nal := range media.NALUnits(media.NALLengthSize(track), au.Data) {
			if typ := nal[0] & 31; typ != 1 && typ != 5 {
				continue
			}
			order, span, ok := s.PictureOrder(nal)
			frames := media.Rescale(au.PTS-start, track.Timescale, 30)
			if !ok || int64(order) != 2*frames%int64(span) {
				t.Fatalf("picture %d after the keyframe: order %d, %v", frames, order, ok)
			}
			break
		}
	}
}

func FuzzSets(f *testing.F) {
	for _, name := range []string{"h264", "h264b", "hevc"} {
		track, units := mediatest.Clip(name)
		for _, nal := range configSets(f, track) {
			f.Add(track.Codec == media.CodecHEVC, nal, units[0].Data[4:])
		}
	}
	f.Fuzz(func(t *testing.T, hevc bool, set, slice []byte) {
		codec := media.CodecH264
		if hevc {
			codec = media.CodecHEVC
		}
		track, _ := mediatest.Clip(map[bool]string{false: "h264b", true: "hevc"}[hevc])
		s := media.NewSets(codec)
		for _, nal := range configSets(t, track) {
			s.Add(nal)
		}
		s.Add(set)
		s.PictureOrder(slice)
		for _, sl := range [][]byte{nil, slice} {
			if c, err := s.Config(sl); err == nil {
				track.Config = c
				media.ParseConfig(track)
				media.ReorderDepth(track)
			}
		}
		media.AV1Config(set)
	})
}
