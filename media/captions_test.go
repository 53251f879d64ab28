package media_test

import (
	"bytes"
	"testing"

	"pushcart/media"
)

// a53 is a T.35 message of captions as encoders write it: cc_data with one empty pair, and marker bits.
const a53 = "\xB5\x00\x31GA94\x03\x41\xFF\xFC\x80\x80\xFF"

// message is an SEI message of a type, below 255 bytes.
func message(typ byte, payload string) string {
	return string([]byte{typ, byte(len(payload))}) + payload
}

func TestHasCaptions(t *testing.T) {
	avc, hevc, av1 := media.Track{Codec: media.CodecH264, Config: []byte{4: 3}}, media.Track{Codec: media.CodecHEVC, Config: bytes.Repeat([]byte{3}, 23)}, media.Track{Codec: media.CodecAV1}
	long := "\x05\xFF\x2D" + string(bytes.Repeat([]byte("x264"), 75)) // 300 bytes
	metadata := func(typ byte, payload string) []byte {
		return []byte("\x2A" + string([]byte{byte(len(payload) + 1), typ}) + payload + "\x32\x01\x10")
	}
	for name, tt := range map[string]struct {
		track media.Track
		data  []byte
		want  bool
	}{
		"alone":              {avc, prefixed(4, "\x06"+message(4, a53)+"\x80", "\x65slice"), true},
		"behind another":     {avc, prefixed(4, "\x06"+long+message(4, a53)+"\x80", "\x65slice"), true},
		"behind escapes":     {avc, prefixed(4, "\x06"+"\x01\x05\x00\x00\x03\x00\x03\x00"+message(4, a53)+"\x80", "\x65slice"), true},
		"in a second unit":   {avc, prefixed(4, "\x09\xF0", "\x06"+message(1, "xx")+"\x80", "\x06"+message(4, a53)+"\x80", "\x41slice"), true},
		"no SEI":             {avc, prefixed(4, "\x65"+message(4, a53)), false},
		"another T.35":       {avc, prefixed(4, "\x06"+message(4, "\xB5\x00\x31DTG1\x41\xF8")+"\x80", "\x65slice"), false},
		"words in another":   {avc, prefixed(4, "\x06"+message(5, a53)+"\x80", "\x65slice"), false},
		"cut off":            {avc, prefixed(4, "\x06\x04\x40"+a53), false},
		"size never ends":    {avc, prefixed(4, "\x06"+a53+"\x04\xFF\xFF\xFF"), false},
		"HEVC":               {hevc, prefixed(4, "\x4E\x01"+message(4, a53)+"\x80", "\x26\x01slice"), true},
		"HEVC, in a suffix":  {hevc, prefixed(4, "\x50\x01"+message(4, a53)+"\x80"), false},
		"AV1":                {av1, metadata(4, a53), true},
		"AV1, HDR metadata":  {av1, metadata(1, a53), false},
		"AAC":                {media.Track{Codec: media.CodecAAC}, []byte(a53), false},
		"nothing":            {avc, nil, false},
		"an SEI without any": {avc, prefixed(4, "\x06"), false},
	} {
		if got := media.HasCaptions(tt.track, tt.data); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	plain := prefixed(4, "\x06"+long+"\x80", "\x65slice")
	if n := testing.AllocsPerRun(100, func() { media.HasCaptions(avc, plain) }); n > 0 {
		t.Errorf("%.0f allocations for a unit without captions", n)
	}
}

func FuzzHasCaptions(f *testing.F) {
	f.Add(byte(0), prefixed(4, "\x06"+message(4, a53)+"\x80", "\x65slice"))
	f.Add(byte(1), prefixed(4, "\x4E\x01"+message(4, a53)+"\x80"))
	f.Add(byte(2), []byte("\x2A\x05\x04\xB5\x00\x31"))
	f.Fuzz(func(t *testing.T, codec byte, data []byte) {
		tracks := []media.Track{{Codec: media.CodecH264, Config: []byte{4: 3}}, {Codec: media.CodecHEVC, Config: bytes.Repeat([]byte{3}, 23)}, {Codec: media.CodecAV1}}
		before := bytes.Clone(data)
		found := media.HasCaptions(tracks[int(codec)%len(tracks)], data)
		if !bytes.Equal(before, data) {
			t.Error("the unit was changed")
		}
		if found && !bytes.Contains(data, []byte("GA94")) {
			t.Error("there are no captions")
		}
	})
}
