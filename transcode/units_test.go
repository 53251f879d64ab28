package transcode

import (
	"bytes"
	"errors"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/transcode/nut"
)

// TestUnpacker takes a byte stream apart that was put together from a recorded clip.
func TestUnpacker(t *testing.T) {
	track, units := mediatest.Clip("h264")
	sets := parameterSets(track.Config)
	stream := func(au media.AccessUnit) []byte {
		return byteStream(nals(media.NALUnits(media.NALLengthSize(track), au.Data)))
	}
	for name, c := range map[string]struct {
		extradata []byte
		first     []byte // in front of the first picture
	}{
		"sets in the extradata": {byteStream(sets), nil},
		"sets in band":          {nil, byteStream(sets)},
		"sets in both":          {byteStream(sets), byteStream(sets)},
	} {
		u := newUnpacker(media.CodecH264, nut.Stream{Extradata: c.extradata})
		for i, au := range units {
			data := stream(au)
			if i == 0 {
				data = append([]byte{0, 0, 0, 1, 9, 0xF0}, append(c.first, data...)...) // an access unit delimiter
			}
			got, err := u.unit(nut.Frame{PTS: au.PTS, Data: data})
			if err != nil {
				t.Fatalf("%s: unit %d: %v", name, i, err)
			}
			if !bytes.Equal(got.Data, media.StripInBand(track, au.Data)) || got.RandomAccess != au.RandomAccess || got.PTS != au.PTS || got.DTS != au.PTS {
				t.Errorf("%s: unit %d is another one", name, i)
			}
		}
		if f, err := media.ParseConfig(u.track); err != nil || f.Width != 160 || f.Height != 96 {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
	u := newUnpacker(media.CodecH264, nut.Stream{})
	if _, err := u.unit(nut.Frame{Data: stream(units[0])}); !errors.Is(err, errNoConfig) {
		t.Errorf("without parameter sets: %v", err)
	}
	u = newUnpacker(media.CodecH264, nut.Stream{Extradata: byteStream(sets)})
	other := bytes.Clone(sets[0])
	other[3]++ // another level
	if _, err := u.unit(nut.Frame{Data: append(byteStream([][]byte{other}), stream(units[0])...)}); err == nil {
		t.Error("other parameter sets were passed over")
	}
}

func TestAnnexB(t *testing.T) {
	var got []string
	for nal := range annexB([]byte("junk\x00\x00\x01abc\x00\x00\x00\x01d\x00\x00\x01\x00\x00\x01ef\x00\x00")) {
		got = append(got, string(nal))
	}
	if len(got) != 3 || got[0] != "abc" || got[1] != "d" || got[2] != "ef" {
		t.Errorf("%q", got)
	}
}

// FuzzUnpacker looks for packets of an encoder that panic, or make units that the house would choke on.
func FuzzUnpacker(f *testing.F) {
	track, units := mediatest.Clip("h264")
	set := byteStream(parameterSets(track.Config))
	f.Add(0, set, byteStream(nals(media.NALUnits(4, units[0].Data))))
	hevc, more := mediatest.Clip("hevc")
	f.Add(1, hevc.Config, more[0].Data)
	av1, temporal := mediatest.Clip("av1")
	f.Add(2, av1.Config, temporal[0].Data)
	f.Fuzz(func(t *testing.T, which int, extradata, data []byte) {
		codec := []media.Codec{media.CodecH264, media.CodecHEVC, media.CodecAV1}[uint(which)%3]
		u := newUnpacker(codec, nut.Stream{Extradata: extradata})
		au, err := u.unit(nut.Frame{Data: data})
		if err != nil || len(au.Data) == 0 || codec == media.CodecAV1 {
			return
		}
		if _, err := media.ParseConfig(u.track); err != nil {
			return
		}
		if err := media.ValidUnit(u.track, au.Data); err != nil {
			t.Error(err)
		}
	})
}
