package m3u8_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"pushcart/packager/m3u8"
)

func show() *m3u8.Multivariant {
	return &m3u8.Multivariant{
		IndependentSegments: true,
		NoCaptions:          true,
		SessionData:         []m3u8.Attribute{{"com.example.overlay", "overlay.json"}},
		Audio: []m3u8.AudioRendition{
			{Group: "aud", Name: "English", Language: "en", URI: "a1/live.m3u8", Default: true, AutoSelect: true, Channels: 2, StableID: "a1"},
			{Group: "aud", Name: "Português", Language: "pt-BR", URI: "a2/live.m3u8", AutoSelect: true, Channels: 1},
			{Group: "aud", Name: "Commentary", Channels: 2, URI: "a3/live.m3u8"},
		},
		Variants: []m3u8.Variant{
			{
				URI: "v1/live.m3u8", Bandwidth: 2_812_500, AverageBandwidth: 2_628_000, Codecs: []string{"avc1.64001f", "mp4a.40.2"},
				Width: 1280, Height: 720, FrameRate: 30000.0 / 1001, VideoRange: "SDR", AudioGroup: "aud", Name: "720p",
				Score: 2, StableID: "v1",
			},
			{
				URI: "v2/live.m3u8", Bandwidth: 1_000_000, Codecs: []string{"hvc1.2.4.L93.B0", "mp4a.40.2"},
				Width: 640, Height: 360, FrameRate: 25, VideoRange: "HLG", AudioGroup: "aud",
			},
			{URI: "a1/live.m3u8", Bandwidth: 128_000, AverageBandwidth: 128_000, Codecs: []string{"mp4a.40.2"}, AudioGroup: "aud"},
		},
		IFrames: []m3u8.Variant{{
			URI: "v1/keys.m3u8", Bandwidth: 190_000, AverageBandwidth: 150_000, Codecs: []string{"avc1.64001f"},
			Width: 1280, Height: 720, VideoRange: "SDR", Score: 0.25, StableID: "v1-keys",
		}},
	}
}

func TestMultivariantGolden(t *testing.T) {
	golden(t, "multivariant.m3u8", show().Append(nil))
	golden(t, "video-only.m3u8", (&m3u8.Multivariant{Variants: []m3u8.Variant{{
		URI: "v1/live.m3u8", Bandwidth: 1, Codecs: []string{"av01.0.08M.08"}, FrameRate: math.NaN(), VideoRange: "sdr\n",
	}}}).Append(nil))
}

func TestMultivariantRoundTrip(t *testing.T) {
	want := show()
	got, err := m3u8.ParseMultivariant(want.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	want.Variants[0].FrameRate = 29.97
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// TestCaptionsOfSome: a playlist that rules out captions for some variants only says nothing that can be relied on.
func TestCaptionsOfSome(t *testing.T) {
	const mixed = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CLOSED-CAPTIONS=NONE\na.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1,CLOSED-CAPTIONS=\"cc\"\nb.m3u8\n"
	if m, err := m3u8.ParseMultivariant([]byte(mixed)); err == nil {
		t.Errorf("read as %+v", m)
	}
	named := strings.ReplaceAll(mixed, "=NONE", `="cc"`)
	if m, err := m3u8.ParseMultivariant([]byte(named)); err != nil || m.NoCaptions {
		t.Errorf("a group of captions: %+v, %v", m, err)
	}
}

func TestMultivariantEscaping(t *testing.T) {
	const evil = "a\"\r\n#EXT-X-ENDLIST,X=\"1"
	m := &m3u8.Multivariant{
		SessionData: []m3u8.Attribute{{evil, evil}},
		Audio:       []m3u8.AudioRendition{{Group: evil, Name: evil, Language: evil, URI: evil}},
		Variants:    []m3u8.Variant{{URI: "#" + evil, Bandwidth: 1, Codecs: []string{evil}, VideoRange: evil, AudioGroup: evil, Name: evil}},
	}
	text := m.Append(nil)
	p, err := m3u8.ParseMultivariant(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if len(p.Variants) != 1 || p.Variants[0].VideoRange != "" || len(p.Audio) != 1 || strings.Contains(string(text), "\n#EXT-X-ENDLIST") {
		t.Errorf("read back as %+v", p)
	}
}

func TestParseMultivariantRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":          "",
		"no head":        "#EXT-X-VERSION:6\n",
		"uri alone":      "#EXTM3U\nv1.m3u8\n",
		"no uri":         "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n",
		"two in a row":   "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n",
		"no bandwidth":   "#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"a\"\nv\n",
		"resolution":     "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=640\nv\n",
		"frame rate":     "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,FRAME-RATE=1e3\nv\n",
		"unquoted":       "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=avc1\nv\n",
		"quoted":         "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=\"1\"\nv\n",
		"score":          "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,SCORE=-1\nv\n",
		"no uri in it":   "#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1\n",
		"no group":       "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"a\"\n",
		"channels":       "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"a\",CHANNELS=\"two\"\n",
		"twice":          "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,BANDWIDTH=1\nv\n",
		"too many":       "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1" + manyAttributes(100) + "\nv\n",
		"not terminated": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,NAME=\"x\nv\n",
	} {
		if m, err := m3u8.ParseMultivariant([]byte(text)); err == nil {
			t.Errorf("%s is read as %+v", name, m)
		}
	}
}
