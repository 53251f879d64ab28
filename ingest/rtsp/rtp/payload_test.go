package rtp

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpav1"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	pion "github.com/pion/rtp"

	"pushcart/media"
	"pushcart/media/mediatest"
)

func payloads(packets []*pion.Packet) [][]byte {
	var list [][]byte
	for _, p := range packets {
		list = append(list, p.Payload)
	}
	return list
}

func decode(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestNALRoundTrip has another library pack real pictures, in packets of different sizes.
func TestNALRoundTrip(t *testing.T) {
	for _, name := range []string{"h264", "h264b", "hevc"} {
		track, units := mediatest.Clip(name)
		for _, size := range []int{100, 1200, 60_000} {
			for i, au := range units {
				nals := slices.Collect(media.NALUnits(media.NALLengthSize(track), au.Data))
				var packets []*pion.Packet
				var got [][]byte
				var err error
				if track.Codec == media.CodecH264 {
					e := &rtph264.Encoder{PayloadType: 96, PayloadMaxSize: size, PacketizationMode: 1}
					e.Init()
					packets, err = e.Encode(nals)
				} else {
					e := &rtph265.Encoder{PayloadType: 96, PayloadMaxSize: size}
					e.Init()
					packets, err = e.Encode(nals)
				}
				if err != nil {
					t.Fatal(err)
				}
				if track.Codec == media.CodecH264 {
					got, err = AppendH264(nil, payloads(packets))
				} else {
					got, err = AppendHEVC(nil, payloads(packets))
				}
				if err != nil || !slices.EqualFunc(got, nals, bytes.Equal) {
					t.Fatalf("%s, picture %d, packets of %d: %v", name, i, size, err)
				}
			}
		}
	}
}

// TestAV1RoundTrip does the same for temporal units.
func TestAV1RoundTrip(t *testing.T) {
	track, units := mediatest.Clip("av1")
	for _, size := range []int{100, 1200, 60_000} {
		for i, au := range units {
			var tu av1.Bitstream
			if err := tu.Unmarshal(au.Data); err != nil {
				t.Fatal(err)
			}
			e := &rtpav1.Encoder{PayloadType: 96, PayloadMaxSize: size}
			e.Init()
			packets, err := e.Encode(tu)
			if err != nil {
				t.Fatal(err)
			}
			got, header, err := AV1(payloads(packets))
			if err != nil {
				t.Fatalf("unit %d, packets of %d: %v", i, size, err)
			}
			if !bytes.Equal(got, media.StripInBand(track, au.Data)) {
				t.Fatalf("unit %d, packets of %d: %d bytes, want %d", i, size, len(got), len(au.Data))
			}
			if config, err := media.AV1Config(header); au.RandomAccess && (err != nil || !bytes.Equal(config, track.Config)) {
				t.Fatalf("unit %d: configuration %x, %v", i, config, err)
			}
		}
	}
}

// TestAACRoundTrip packs several units into a packet, and one into several.
func TestAACRoundTrip(t *testing.T) {
	_, units := mediatest.Clip("aac")
	var list [][]byte
	for _, au := range units {
		list = append(list, au.Data)
	}
	for _, size := range []int{50, 500, 1400} {
		e := &rtpmpeg4audio.Encoder{PayloadType: 96, PayloadMaxSize: size, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
		e.Init()
		packets, err := e.Encode(list)
		if err != nil {
			t.Fatal(err)
		}
		var got, frame [][]byte
		for _, p := range packets {
			if frame = append(frame, p.Payload); !p.Marker {
				continue
			}
			units, err := AACHeaders{13, 3, 3}.Units(frame)
			if err != nil {
				t.Fatal(err)
			}
			got, frame = append(got, units...), nil
		}
		if !slices.EqualFunc(got, list, bytes.Equal) {
			t.Errorf("packets of %d: %d units, want %d", size, len(got), len(list))
		}
	}
}

// TestH264Quirks has what cameras do that they ought not to.
func TestH264Quirks(t *testing.T) {
	for _, tt := range []struct {
		name     string
		payloads []string
		want     []string // nil: an error
	}{
		{"start codes in a packet", []string{"000000016764", "0000016801000001650203"}, []string{"6764", "6801", "650203"}},
		{"a fragment that is whole", []string{"7cc5aabb"}, []string{"65aabb"}},
		{"padding in an aggregate", []string{"780002670100" + "00000000"}, []string{"6701"}},
		{"an empty packet", []string{"", "6501"}, []string{"6501"}},
		{"start codes in fragments", []string{"7c8567000001", "7c4565aa"}, []string{"6567", "65aa"}},
		{"a fragment without a beginning", []string{"7c05aa", "7c45bb"}, nil},
		{"a fragment without an end", []string{"7c85aa", "7c05bb"}, nil},
		{"a fragment that is interrupted", []string{"7c85aa", "6501"}, nil},
		{"interleaved", []string{"190001aa"}, nil},
		{"lengths that do not add up", []string{"7800056701"}, nil},
		{"nothing", []string{""}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var in [][]byte
			for _, p := range tt.payloads {
				in = append(in, decode(t, p))
			}
			nals, err := AppendH264(nil, in)
			if (err != nil) != (tt.want == nil) {
				t.Fatal(err)
			}
			var got []string
			for _, nal := range nals {
				got = append(got, hex.EncodeToString(nal))
			}
			if tt.want != nil && !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestLATM reads configurations as encoders write them, and units under them.
func TestLATM(t *testing.T) {
	unit := bytes.Repeat([]byte{0x21, 0x45}, 150) // 300 bytes: a length of 255 and 45
	length := []byte{255, 45}
	for _, tt := range []struct {
		name, mux, config string
		elements          [][]byte
		units             int
	}{
		{"ffmpeg", "400023203fc0", "1190", [][]byte{slices.Concat(length, unit)}, 1},
		{"cut off, as GStreamer's", "40002320" + "00", "1190", [][]byte{slices.Concat(length, unit)}, 1},
		{"with the encoder's extension, as GStreamer's", "40002320adca000000", "119056e500", [][]byte{slices.Concat(length, unit)}, 1},
		{"several in a packet", "400023203fc0", "1190", [][]byte{slices.Concat(length, unit, length, unit)}, 2},
		{"in fragments", "400023203fc0", "1190", [][]byte{slices.Concat(length, unit[:100]), unit[100:]}, 1},
		{"two subframes", "410023203fc0", "1190", [][]byte{slices.Concat(length, unit, length, unit)}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l LATM
			if err := l.ParseMux(decode(t, tt.mux)); err != nil {
				t.Fatal(err)
			}
			track := media.Track{Codec: media.CodecAAC, Config: l.Config()}
			f, err := media.ParseConfig(track)
			if err != nil || f.Channels != 2 || f.SampleRate != 48000 || f.FrameSamples != 1024 {
				t.Errorf("configuration %x: %+v, %v; want %s", l.Config(), f, err, tt.config)
			}
			units, _, err := l.Units(tt.elements)
			if err != nil || len(units) != tt.units {
				t.Fatalf("%d units, %v", len(units), err)
			}
			for _, u := range units {
				if !bytes.Equal(u, unit) {
					t.Errorf("a unit of %d bytes, want %d", len(u), len(unit))
				}
			}
		})
	}
}

// TestLATMInBand has the configuration in each element, a bit off.
func TestLATMInBand(t *testing.T) {
	unit := bytes.Repeat([]byte{0x21, 0x45}, 20)
	// useSameStreamMux 0, then the configuration, the length and the unit.
	w := bitWriter{}
	w.u(0, 1)
	for _, b := range decode(t, "400023203f") {
		w.u(uint32(b), 8)
	}
	w.u(0b110000, 6) // the rest of the fullness, no other data, no checksum
	w.pos -= 2       // 45 bits of configuration in all
	w.b = w.b[:(w.pos+7)/8]
	w.u(uint32(len(unit)), 8)
	for _, b := range unit {
		w.u(uint32(b), 8)
	}
	l := LATM{InBand: true}
	if units, _, err := l.Units([][]byte{{0x80, 0x01, 0x00}}); err != nil || units != nil {
		t.Errorf("units before there is a configuration: %v, %v", units, err)
	}
	units, changed, err := l.Units([][]byte{w.b})
	if err != nil || !changed || len(units) != 1 || !bytes.Equal(units[0], unit) {
		t.Fatalf("%d units, changed %v, %v; configuration %x", len(units), changed, err, l.Config())
	}
	same := bitWriter{}
	same.u(1, 1)
	same.u(uint32(len(unit)), 8)
	for _, b := range unit {
		same.u(uint32(b), 8)
	}
	units, changed, err = l.Units([][]byte{same.b})
	if err != nil || changed || len(units) != 1 || !bytes.Equal(units[0], unit) {
		t.Errorf("%d units, changed %v, %v", len(units), changed, err)
	}
}

type bitWriter struct {
	b   []byte
	pos int
}

func (w *bitWriter) u(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.pos&7 == 0 {
			w.b = append(w.b[:w.pos>>3], 0)
		}
		w.b[w.pos>>3] |= byte(v>>i&1) << (7 - w.pos&7)
		w.pos++
	}
}

// TestLATMRefused has what is no AAC.
func TestLATMRefused(t *testing.T) {
	for name, mux := range map[string]string{
		"frameLengthType 2": "4000232080", "several programs": "4002232000", "different framing": "000023203fc0",
		"another codec": "400173203fc0", "nothing": "",
	} {
		var l LATM
		if err := l.ParseMux(decode(t, mux)); err == nil {
			t.Errorf("%s is taken: %x", name, l.Config())
		}
	}
}

func TestStripADTS(t *testing.T) {
	unit := []byte{1, 2, 3, 4}
	adts := append([]byte{0xFF, 0xF1, 0x4C, 0x80, 0x01, 0x7F, 0xFC}, unit...)
	if got := StripADTS(adts); !bytes.Equal(got, unit) {
		t.Errorf("got %x", got)
	}
	if got := StripADTS(unit); !bytes.Equal(got, unit) {
		t.Errorf("got %x of a unit without", got)
	}
}
