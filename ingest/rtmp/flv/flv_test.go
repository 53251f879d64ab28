package flv

import (
	"errors"
	"reflect"
	"testing"

	"pushcart/ingest/rtmp/rtmptest"
	"pushcart/media"
)

const (
	video = media.KindVideo
	audio = media.KindAudio
)

func cat(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = append(b, byte(p))
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

func TestAppendVideo(t *testing.T) {
	for _, test := range []struct {
		name string
		in   []byte
		want []Packet
	}{
		{"nothing", nil, nil},
		{"AVC configuration", cat(0x17, 0, 0, 0, 0, "cfg"), []Packet{{Type: Config, Kind: video, Codec: AVC, Keyframe: true, Data: []byte("cfg")}}},
		{"AVC keyframe", cat(0x17, 1, 0, 0, 80, "pic"), []Packet{{Type: Frame, Kind: video, Codec: AVC, Keyframe: true, CompositionTime: 80, Data: []byte("pic")}}},
		{"composition time below zero", cat(0x27, 1, 0xFF, 0xFF, 0xFE, "pic"), []Packet{{Type: Frame, Kind: video, Codec: AVC, CompositionTime: -2, Data: []byte("pic")}}},
		{"AVC without a picture", cat(0x27, 1, 0, 0, 0), nil},
		{"end of AVC", cat(0x17, 2, 0, 0, 0), nil},
		{"seek command", cat(0x57, 0), nil},
		{"HEVC as codec 12", cat(0x1C, 1, 0, 0, 0, "pic"), []Packet{{Type: Frame, Kind: video, Codec: HEVC, Keyframe: true, Data: []byte("pic")}}},
		{"Sorenson", cat(0x22, "pic"), []Packet{{Type: Frame, Kind: video, Codec: oldVideo + 2, Data: []byte("pic")}}},
		{"generated keyframe", cat(0x47, 1, 0, 0, 0, "pic"), []Packet{{Type: Frame, Kind: video, Codec: AVC, Keyframe: true, Data: []byte("pic")}}},

		{"enhanced configuration", cat(0x90, "hvc1cfg"), []Packet{{Type: Config, Kind: video, Codec: HEVC, Keyframe: true, Data: []byte("cfg")}}},
		{"enhanced frame with composition time", cat(0xA1, "hvc1", 0, 0, 40, "pic"), []Packet{{Type: Frame, Kind: video, Codec: HEVC, CompositionTime: 40, Data: []byte("pic")}}},
		{"the same for AVC", cat(0xA1, "avc1", 0xFF, 0xFF, 0xFF, "pic"), []Packet{{Type: Frame, Kind: video, Codec: AVC, CompositionTime: -1, Data: []byte("pic")}}},
		{"AV1 has none", cat(0x91, "av01pic"), []Packet{{Type: Frame, Kind: video, Codec: AV1, Keyframe: true, Data: []byte("pic")}}},
		{"CodedFramesX", cat(0xA3, "hvc1pic"), []Packet{{Type: Frame, Kind: video, Codec: HEVC, Data: []byte("pic")}}},
		{"sequence end", cat(0x92, "hvc1"), nil},
		{"metadata", cat(0x94, "hvc1", "\x02\x00\x09colorInfo"), nil},
		{"AV1 in MPEG-TS form", cat(0x95, "av01cfg"), []Packet{{Type: TSConfig, Kind: video, Codec: AV1, Keyframe: true, Data: []byte("cfg")}}},
		{"command", cat(0xD1, 0), nil},
		{"type of the future", cat(0x9E, "hvc1x"), nil},
		{"VP9", cat(0x91, "vp09pic"), []Packet{{Type: Frame, Kind: video, Codec: 'v'<<24 | 'p'<<16 | '0'<<8 | '9', Keyframe: true, Data: []byte("pic")}}},

		{"nanoseconds", cat(0x97, 2, 0x0F, 0x42, 0x3F, 0x03, "avc1pic"), []Packet{{Type: Frame, Kind: video, Codec: AVC, Keyframe: true, NanoOffset: 999_999, Data: []byte("pic")}}},
		{"more than a millisecond of them", cat(0x97, 2, 0xFF, 0xFF, 0xFF, 0x03, "avc1pic"), []Packet{{Type: Frame, Kind: video, Codec: AVC, Keyframe: true, NanoOffset: 999_999, Data: []byte("pic")}}},
		{"two modifiers, one long and unknown", cat(0x97, 255, 0x01, 0x00, make([]byte, 257), 0x17, 2, 0, 0, 7, 0x03, "avc1pic"), []Packet{{Type: Frame, Kind: video, Codec: AVC, Keyframe: true, NanoOffset: 7, Data: []byte("pic")}}},

		{"one track", rtmptest.MultitrackVideo(true, rtmptest.OneTrack, rtmptest.CodedFrames, rtmptest.TrackData{ID: 3, FourCC: "avc1", Data: rtmptest.CompositionTime(-5, []byte("pic"))}),
			[]Packet{{Type: Frame, Kind: video, Codec: AVC, Track: 3, Keyframe: true, CompositionTime: -5, Data: []byte("pic")}}},
		{"many tracks", rtmptest.MultitrackVideo(false, rtmptest.ManyTracks, rtmptest.CodedFramesX, rtmptest.TrackData{ID: 0, FourCC: "hvc1", Data: []byte("one")}, rtmptest.TrackData{ID: 1, Data: []byte("two")}),
			[]Packet{{Type: Frame, Kind: video, Codec: HEVC, Data: []byte("one")}, {Type: Frame, Kind: video, Codec: HEVC, Track: 1, Data: []byte("two")}}},
		{"many tracks, one of them empty", rtmptest.MultitrackVideo(false, rtmptest.ManyTracks, rtmptest.CodedFramesX, rtmptest.TrackData{ID: 0, FourCC: "hvc1"}, rtmptest.TrackData{ID: 1, Data: []byte("two")}),
			[]Packet{{Type: Frame, Kind: video, Codec: HEVC, Track: 1, Data: []byte("two")}}},
		{"many codecs", rtmptest.MultitrackVideo(true, rtmptest.ManyTracksManyCodecs, rtmptest.SequenceStart, rtmptest.TrackData{ID: 0, FourCC: "avc1", Data: []byte("one")}, rtmptest.TrackData{ID: 9, FourCC: "av01", Data: []byte("two")}),
			[]Packet{{Type: Config, Kind: video, Codec: AVC, Keyframe: true, Data: []byte("one")}, {Type: Config, Kind: video, Codec: AV1, Track: 9, Keyframe: true, Data: []byte("two")}}},
	} {
		got, err := AppendVideo(nil, test.in)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", test.name, err, got, test.want)
		}
	}
}

func TestAppendAudio(t *testing.T) {
	opus := []byte{1, 1, 0x38, 1, 0x80, 0xBB, 0, 0, 0, 0, 0}
	stereo := []byte{1, 2, 0, 0, 0x80, 0xBB, 0, 0, 0, 0, 0}
	for _, test := range []struct {
		name string
		in   []byte
		want []Packet
	}{
		{"nothing", nil, nil},
		{"AAC configuration", cat(0xAF, 0, 0x11, 0x90), []Packet{{Type: Config, Kind: audio, Codec: AAC, Keyframe: true, Data: []byte{0x11, 0x90}}}},
		{"AAC frame", cat(0xAF, 1, "aac"), []Packet{{Type: Frame, Kind: audio, Codec: AAC, Keyframe: true, Data: []byte("aac")}}},
		{"AAC without a frame", cat(0xAF, 1), nil},
		{"MP3", cat(0x2F, "mp3"), []Packet{{Type: Frame, Kind: audio, Codec: MP3, Keyframe: true, SampleRate: 44100, Channels: 2, Data: []byte("mp3")}}},
		{"MP3 at 8 kHz", cat(0xE2, "mp3"), []Packet{{Type: Frame, Kind: audio, Codec: MP3, Keyframe: true, SampleRate: 5512, Channels: 1, Data: []byte("mp3")}}},
		{"A-law", cat(0x72, "law"), []Packet{{Type: Frame, Kind: audio, Codec: PCMA, Keyframe: true, SampleRate: 8000, Channels: 1, Data: []byte("law")}}},
		{"mu-law in stereo", cat(0x83, "law"), []Packet{{Type: Frame, Kind: audio, Codec: PCMU, Keyframe: true, SampleRate: 8000, Channels: 2, Data: []byte("law")}}},
		{"PCM", cat(0x3A, "pcm"), []Packet{{Type: Frame, Kind: audio, Codec: PCM, Keyframe: true, SampleRate: 22050, Channels: 1, Data: []byte("pcm")}}},
		{"PCM of 8 bits", cat(0x3D, "pcm"), []Packet{{Type: Frame, Kind: audio, Codec: oldAudio, Keyframe: true, SampleRate: 44100, Channels: 2, Data: []byte("pcm")}}},
		{"PCM in any order", cat(0x0E, "pcm"), []Packet{{Type: Frame, Kind: audio, Codec: oldAudio, Keyframe: true, SampleRate: 44100, Channels: 1, Data: []byte("pcm")}}},
		{"no A-law at all", cat(0x72), nil},
		{"Speex", cat(0xB6, "spx"), []Packet{{Type: Frame, Kind: audio, Codec: oldAudio + 11, Keyframe: true, SampleRate: 11025, Channels: 1, Data: []byte("spx")}}},
		{"enhanced MP3", cat(0x91, ".mp3mp3"), []Packet{{Type: Frame, Kind: audio, Codec: MP3, Keyframe: true, Data: []byte("mp3")}}},
		{"enhanced AAC", cat(0x90, "mp4a", 0x11, 0x90), []Packet{{Type: Config, Kind: audio, Codec: AAC, Keyframe: true, Data: []byte{0x11, 0x90}}}},
		{"Opus with magic", cat(0x90, "Opus", "OpusHead", opus), []Packet{{Type: Config, Kind: audio, Codec: Opus, Keyframe: true, Data: opus}}},
		{"Opus without", cat(0x90, "Opus", opus), []Packet{{Type: Config, Kind: audio, Codec: Opus, Keyframe: true, Data: opus}}},
		{"Opus without a header", cat(0x90, "Opus"), []Packet{{Type: Config, Kind: audio, Codec: Opus, Keyframe: true, Data: stereo}}},
		{"Opus frame", cat(0x91, "Opus", "pkt"), []Packet{{Type: Frame, Kind: audio, Codec: Opus, Keyframe: true, Data: []byte("pkt")}}},
		{"channel map", cat(0x94, "Opus", 1, 2, 0, 0, 0, 3), nil},
		{"silence", cat(0x91, "mp4a"), nil},
		{"three, which is CodedFramesX for video", cat(0x93, "mp4a", "x"), nil},
		{"nanoseconds", cat(0x97, 2, 0, 0, 9, 0x01, "mp4a", "aac"), []Packet{{Type: Frame, Kind: audio, Codec: AAC, Keyframe: true, NanoOffset: 9, Data: []byte("aac")}}},
		{"tracks", rtmptest.MultitrackAudio(rtmptest.ManyTracksManyCodecs, rtmptest.CodedFrames, rtmptest.TrackData{ID: 1, FourCC: "mp4a", Data: []byte("aac")}, rtmptest.TrackData{ID: 2, FourCC: "Opus", Data: []byte("pkt")}),
			[]Packet{{Type: Frame, Kind: audio, Codec: AAC, Track: 1, Keyframe: true, Data: []byte("aac")}, {Type: Frame, Kind: audio, Codec: Opus, Track: 2, Keyframe: true, Data: []byte("pkt")}}},
	} {
		got, err := AppendAudio(nil, test.in)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", test.name, err, got, test.want)
		}
	}
}

func TestBrokenTags(t *testing.T) {
	for _, test := range []struct {
		name  string
		in    []byte
		audio bool
	}{
		{"AVC cut in its header", cat(0x17, 1, 0, 0), false},
		{"AAC cut in its header", cat(0xAF), true},
		{"no FourCC", cat(0x91, "hv"), false},
		{"no composition time", cat(0x91, "hvc1", 0, 0), false},
		{"modifiers without end", cat(0x97, 0, 0, 0x07, 0, 0, 0x07), false},
		{"modifier longer than the tag", cat(0x97, 255, 0xFF, 0xFF, 1), false},
		{"multitrack without a layout", cat(0x96), false},
		{"multitrack without tracks", cat(0x96, 0x10, "hvc1"), false},
		{"track longer than the message", cat(0x96, 0x13, "hvc1", 0, 0, 0, 9, "pic"), false},
		{"track of 16 MB", cat(0x96, 0x13, "hvc1", 0, 0xFF, 0xFF, 0xFF, "pic"), false},
		{"unknown layout", cat(0x96, 0x33, "hvc1", 0, "pic"), false},
	} {
		var err error
		if test.audio {
			_, err = AppendAudio(nil, test.in)
		} else {
			_, err = AppendVideo(nil, test.in)
		}
		if !errors.As(err, new(FormatError)) {
			t.Errorf("%s: error is %v", test.name, err)
		}
	}
}

func TestCodecs(t *testing.T) {
	for c, want := range map[Codec]media.Codec{AVC: media.CodecH264, HEVC: media.CodecHEVC, AV1: media.CodecAV1, AAC: media.CodecAAC, Opus: media.CodecOpus, MP3: media.CodecMP3, PCM: media.CodecL16, PCMA: media.CodecPCMA, PCMU: media.CodecPCMU, oldAudio: "", oldVideo + 2: "", 0: ""} {
		if c.Media() != want {
			t.Errorf("%v is %q to the house, not %q", c, c.Media(), want)
		}
	}
	for c, want := range map[Codec]string{AVC: "H.264", oldVideo + 4: "VP6", oldVideo + 15: "codec number 15", PCMU: "G.711 mu-law", MP3: "MP3", oldAudio + 11: "Speex",
		'v'<<24 | 'p'<<16 | '0'<<8 | '9': "VP9", 'a'<<24 | 0<<16 | '"'<<8 | 'c': `codec "a\x00\"c"`} {
		if c.String() != want {
			t.Errorf("%#x is called %s, not %s", uint32(c), c, want)
		}
	}
}

func TestCheckNALs(t *testing.T) {
	const h264, hevc = media.CodecH264, media.CodecHEVC
	recovery := func(count byte) []byte { return []byte{6, 5, 2, 'x', 'y', 6, 1, count, 0x80} }
	for _, test := range []struct {
		name     string
		codec    media.Codec
		size     int
		keyframe bool
		data     []byte
		want     bool
		broken   bool
	}{
		{"IDR", h264, 4, true, rtmptest.NALs([]byte{9, 0xF0}, []byte{0x65, 1}), true, false},
		{"IDR that is not marked", h264, 4, false, rtmptest.NALs([]byte{0x65, 1}), true, false},
		{"keyframe that is none", h264, 4, true, rtmptest.NALs([]byte{0x41, 1}), false, false},
		{"open GOP", h264, 4, true, rtmptest.NALs(recovery(0x80), []byte{0x41, 1}), true, false},
		{"recovery in some frames' time", h264, 4, true, rtmptest.NALs(recovery(0x40), []byte{0x41, 1}), false, false},
		{"recovery point without the mark", h264, 4, false, rtmptest.NALs(recovery(0x80), []byte{0x41, 1}), false, false},
		{"HEVC IDR", hevc, 4, true, rtmptest.NALs([]byte{19 << 1, 1, 0}), true, false},
		{"HEVC CRA, not marked", hevc, 4, false, rtmptest.NALs([]byte{21 << 1, 1, 0}), true, false},
		{"HEVC trailing picture, marked", hevc, 4, true, rtmptest.NALs([]byte{1 << 1, 1, 0}), false, false},
		{"lengths of two bytes", h264, 2, true, []byte{0, 1, 0x65, 0, 1, 0x65}, true, false},
		{"lengths of one byte", h264, 1, true, []byte{1, 0x65}, true, false},
		{"empty unit", h264, 4, true, rtmptest.NALs(nil, []byte{0x65}), true, false},
		{"torn", h264, 4, true, rtmptest.NALs([]byte{0x65, 1, 2, 3})[:6], false, true},
		{"a length of 4 GiB", h264, 4, true, []byte{0xFF, 0xFF, 0xFF, 0xFF, 0x65}, false, true},
		{"bytes behind", h264, 4, true, append(rtmptest.NALs([]byte{0x65}), 0, 0), false, true},
		{"Annex B", h264, 4, true, []byte{0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x65, 1, 2, 3}, false, true},
	} {
		got, err := CheckNALs(test.codec, test.size, test.keyframe, test.data)
		if got != test.want || (err != nil) != test.broken {
			t.Errorf("%s: got %v, %v", test.name, got, err)
		}
	}
	if !StartsLikeAnnexB([]byte{0, 0, 0, 1, 0x67}) || !StartsLikeAnnexB([]byte{0, 0, 1, 0x67, 1}) || StartsLikeAnnexB([]byte{0, 0, 2, 0x67, 1}) {
		t.Error("start codes are not told from lengths")
	}
}

func TestLengthSize(t *testing.T) {
	hvcc := make([]byte, 23)
	hvcc[21] = 0xFC | 1
	if LengthSize(media.CodecH264, []byte{1, 66, 0, 30, 0xFC, 0xE1}) != 1 || LengthSize(media.CodecHEVC, hvcc) != 2 ||
		LengthSize(media.CodecH264, []byte{1}) != 4 || LengthSize(media.CodecAAC, hvcc) != 4 {
		t.Error("wrong length size")
	}
}

func TestCheckOBUs(t *testing.T) {
	for _, test := range []struct {
		name   string
		in     []byte
		want   []byte
		broken bool
	}{
		{"frame", []byte{0x32, 2, 'a', 'b'}, []byte{0x32, 2, 'a', 'b'}, false},
		{"temporal delimiter", []byte{0x12, 0, 0x32, 1, 'a'}, []byte{0x32, 1, 'a'}, false},
		{"only a temporal delimiter", []byte{0x12, 0}, []byte{}, false},
		{"extension", []byte{0x36, 0x08, 1, 'a'}, []byte{0x36, 0x08, 1, 'a'}, false},
		{"last one without a size", []byte{0x0A, 1, 's', 0x30, 'a', 'b'}, []byte{0x0A, 1, 's', 0x30, 'a', 'b'}, false},
		{"torn", []byte{0x32, 5, 'a'}, nil, true},
		{"size without end", []byte{0x32, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, nil, true},
		{"size of 2^56-1", []byte{0x32, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1}, nil, true},
		{"cut in its header", []byte{0x36}, nil, true},
	} {
		got, err := CheckOBUs(test.in)
		if (err != nil) != test.broken || string(got) != string(test.want) {
			t.Errorf("%s: got %x, %v", test.name, got, err)
		}
	}
}

// flvTag is a tag as in a file.
func flvTag(kind byte, time uint32, data string, trailer bool) []byte {
	n := len(data)
	b := cat(int(kind), n>>16, n>>8, n, int(time>>16), int(time>>8), int(time), int(time>>24), 0, 0, 0, data)
	if trailer {
		b = append(b, 0, 0, 0, byte(n+11))
	}
	return b
}

func TestAggregate(t *testing.T) {
	type tag struct {
		kind   uint8
		offset uint32
		data   string
	}
	collect := func(b []byte) (tags []tag, err error) {
		err = Aggregate(b, func(g Tag) error {
			tags = append(tags, tag{g.Type, g.Offset, string(g.Data)})
			return nil
		})
		return tags, err
	}
	const late = 0x1234567
	b := cat(flvTag(9, late, "one", true), flvTag(8, late+7, "", true), flvTag(9, late-3, "two", false))
	tags, err := collect(b)
	if want := []tag{{9, 0, "one"}, {8, 7, ""}, {9, 0xFFFFFFFD, "two"}}; err != nil || !reflect.DeepEqual(tags, want) {
		t.Errorf("got %v, %v", tags, err)
	}
	if _, err := collect(b[:5]); !errors.As(err, new(FormatError)) {
		t.Errorf("cut in a header: %v", err)
	}
	if _, err := collect(b[:len(b)-1]); !errors.As(err, new(FormatError)) {
		t.Errorf("cut in a payload: %v", err)
	}
	stop := errors.New("stop")
	if err := Aggregate(b, func(Tag) error { return stop }); err != stop {
		t.Errorf("yield's error becomes %v", err)
	}
}

func FuzzPayload(f *testing.F) {
	f.Add(false, rtmptest.AVCFrame(true, -5, rtmptest.NALs([]byte{0x65, 1})))
	f.Add(false, rtmptest.ExVideo(true, rtmptest.CodedFrames, "hvc1", rtmptest.CompositionTime(3, rtmptest.NALs([]byte{19 << 1, 1}))))
	f.Add(false, rtmptest.MultitrackVideo(true, rtmptest.ManyTracksManyCodecs, rtmptest.CodedFramesX, rtmptest.TrackData{ID: 0, FourCC: "avc1", Data: []byte{0}}, rtmptest.TrackData{ID: 9, FourCC: "av01", Data: []byte{0x12, 0}}))
	f.Add(false, cat(0x97, 255, 0x01, 0x00, make([]byte, 257), 0x17, 2, 0, 0, 7, 0x03, "avc1pic"))
	f.Add(true, cat(0x90, "Opus", "OpusHead"))
	f.Add(true, cat(0x72, make([]byte, 160)))
	f.Add(true, cat(0x3A, make([]byte, 5)))
	f.Add(true, cat(0x2F, 0xFF, 0xFB, 0x90, 0x44))
	f.Add(true, cat(0x91, ".mp3", 0xFF, 0xFB, 0x90, 0x44))
	f.Add(true, rtmptest.MultitrackAudio(rtmptest.ManyTracks, rtmptest.CodedFrames, rtmptest.TrackData{ID: 1, FourCC: "mp4a", Data: []byte("aac")}))
	f.Fuzz(func(t *testing.T, isAudio bool, data []byte) {
		var packets []Packet
		if isAudio {
			packets, _ = AppendAudio(nil, data)
		} else {
			packets, _ = AppendVideo(nil, data)
		}
		total := 0
		for _, p := range packets {
			total += len(p.Data)
			if p.Type == Frame && len(p.Data) == 0 && p.Codec.Media() != "" {
				t.Fatal("a frame is empty")
			}
			if p.Type == 0 || p.Kind == media.KindUnknown || p.Codec.String() == "" || p.NanoOffset > 999_999 {
				t.Fatalf("packet %+v", p)
			}
			CheckNALs(media.CodecH264, 1+len(data)%4, p.Keyframe, p.Data)
			CheckNALs(media.CodecHEVC, 4, p.Keyframe, p.Data)
			if unit, err := CheckOBUs(p.Data); err == nil && len(unit) > len(p.Data) {
				t.Fatal("a temporal unit has grown")
			}
		}
		if total > len(data)+11 {
			t.Fatalf("%d bytes of packets from %d", total, len(data))
		}
	})
}

func FuzzAggregate(f *testing.F) {
	f.Add(cat(flvTag(9, 5, "one", true), flvTag(8, 7, "", true), flvTag(9, 3, "two", false)))
	f.Fuzz(func(t *testing.T, data []byte) {
		total := 0
		Aggregate(data, func(g Tag) error { total += len(g.Data) + 11; return nil })
		if total > len(data) {
			t.Fatalf("%d bytes of tags from %d", total, len(data))
		}
	})
}
