package sdp

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	libsdp "github.com/bluenviron/gortsplib/v4/pkg/sdp"
)

// Descriptions as real encoders and cameras write them.
const (
	ffmpegSDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=No Name\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\na=tool:libavformat 59.27.100\r\n" +
		"m=video 0 RTP/AVP 96\r\nb=AS:500\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LADdoPCmg=,aM4PLIA=; profile-level-id=42C00D\r\na=control:streamid=0\r\n" +
		"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/48000/2\r\na=fmtp:97 profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3; config=1190\r\na=control:streamid=1\r\n"
	gstreamerSDP = "v=0\r\no=- 1188340656180883 1 IN IP4 127.0.0.1\r\ns=Session\r\ni=rtspclientsink\r\nt=0 0\r\na=tool:GStreamer\r\n" +
		"m=audio 0 RTP/AVP 97\r\nc=IN IP4 127.0.0.1\r\na=rtpmap:97 MP4A-LATM/48000\r\na=fmtp:97 cpresent=0;config=40002320adca00\r\na=control:stream=0\r\n"
	cameraSDP = "v=0\no=- 1 1 IN IP4 192.0.2.7\ns=Media\nb=AS:5100\nt=0 0\na=control:rtsp://192.0.2.7:554/Streaming/Channels/101/\n" +
		"m=video 0 RTP/AVP 96\nc=IN IP4 0.0.0.0\na=recvonly\na=x-dimensions:1920,1080\na=control:rtsp://192.0.2.7:554/Streaming/Channels/101/trackID=1\na=rtpmap:96 H265/90000\na=fmtp:96 sprop-vps=QAE=;sprop-sps=QgE=;sprop-pps=RAE=\n" +
		"m=audio 0 RTP/AVP 8\na=control:trackID=2\nm=audio 0 RTP/AVP 0\na=control:trackID=3\na=sendonly\n" +
		"m=application 0 RTP/AVP 107\na=control:trackID=4\na=rtpmap:107 vnd.onvif.metadata/90000\n"
	oddSDP = "nonsense\nm=\nm=video\nm=video 0 RTP/AVP 96 999 x 97\na=rtpmap:96 AV1/0\na=rtpmap:97 H264/90000/\na=fmtp:97 a=b;;c;=d;e=f=g\na=fmtp:5 x=y\na=rtpmap\nq\n"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Session
	}{
		{"ffmpeg", ffmpegSDP, Session{Media: []Media{
			{Kind: "video", Control: "streamid=0", Formats: []Format{{PayloadType: 96, Encoding: "H264", Clock: 90000, Params: map[string]string{
				"packetization-mode": "1", "sprop-parameter-sets": "Z0LADdoPCmg=,aM4PLIA=", "profile-level-id": "42C00D"}}}},
			{Kind: "audio", Control: "streamid=1", Formats: []Format{{PayloadType: 97, Encoding: "MPEG4-GENERIC", Clock: 48000, Channels: 2, Params: map[string]string{
				"profile-level-id": "1", "mode": "AAC-hbr", "sizelength": "13", "indexlength": "3", "indexdeltalength": "3", "config": "1190"}}}},
		}}},
		{"GStreamer", gstreamerSDP, Session{Media: []Media{
			{Kind: "audio", Control: "stream=0", Formats: []Format{{PayloadType: 97, Encoding: "MP4A-LATM", Clock: 48000, Params: map[string]string{"cpresent": "0", "config": "40002320adca00"}}}},
		}}},
		{"a camera", cameraSDP, Session{Control: "rtsp://192.0.2.7:554/Streaming/Channels/101/", Media: []Media{
			{Kind: "video", Control: "rtsp://192.0.2.7:554/Streaming/Channels/101/trackID=1", Formats: []Format{{PayloadType: 96, Encoding: "H265", Clock: 90000, Params: map[string]string{
				"sprop-vps": "QAE=", "sprop-sps": "QgE=", "sprop-pps": "RAE="}}}},
			{Kind: "audio", Control: "trackID=2", Formats: []Format{{PayloadType: 8, Encoding: "PCMA", Clock: 8000}}},
			{Kind: "audio", Control: "trackID=3", BackChannel: true, Formats: []Format{{Encoding: "PCMU", Clock: 8000}}},
			{Kind: "application", Control: "trackID=4", Formats: []Format{{PayloadType: 107, Encoding: "VND.ONVIF.METADATA", Clock: 90000}}},
		}}},
		{"odd lines", oddSDP, Session{Media: []Media{{Kind: "video"}, {Kind: "video", Formats: []Format{
			{PayloadType: 96, Encoding: "AV1"}, {PayloadType: 97, Encoding: "H264", Clock: 90000, Params: map[string]string{"a": "b", "": "d", "e": "f=g"}},
		}}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse([]byte(tt.text))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%v\ngot  %+v\nwant %+v", err, got, tt.want)
			}
			plain(t, got)
		})
	}
}

// plain has the library read what it gets to see, and checks that it finds the same streams.
func plain(t testing.TB, s Session) {
	t.Helper()
	var d libsdp.SessionDescription
	var session description.Session
	if err := d.Unmarshal(s.Plain()); err != nil {
		t.Fatalf("%v:\n%s", err, s.Plain())
	}
	if err := session.Unmarshal(&d); err != nil {
		t.Fatalf("%v:\n%s", err, s.Plain())
	}
	if len(session.Medias) != len(s.Media) {
		t.Fatalf("%d streams, want %d", len(session.Medias), len(s.Media))
	}
	for i, m := range session.Medias {
		want := s.Media[i]
		if m.Control != want.Control || m.IsBackChannel != want.BackChannel {
			t.Errorf("stream %d is %+v, want %+v", i, m, want)
		}
		for j, f := range want.Formats {
			got := m.Formats[j]
			if int(got.PayloadType()) != f.PayloadType {
				t.Errorf("stream %d has payload type %d, want %d", i, got.PayloadType(), f.PayloadType)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":        "",
		"no streams":   "v=0\r\ns=x\r\n",
		"many streams": strings.Repeat("m=video 0 RTP/AVP 96\n", MaxMedia+1),
		"long":         "v=0\n" + strings.Repeat("a=x\n", MaxBytes/4),
	} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzParse: whatever is read can be written plainly, and read by the library and by us.
func FuzzParse(f *testing.F) {
	for _, text := range []string{ffmpegSDP, gstreamerSDP, cameraSDP, oddSDP} {
		f.Add([]byte(text))
	}
	f.Add([]byte("m=video 0 RTP/AVP 96\na=control:a\rb\x00\n")) // would be two lines to a reader behind
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(s.Plain())
		if err != nil || len(again.Media) != len(s.Media) {
			t.Fatalf("%v: %q", err, s.Plain())
		}
		if bytes.ContainsAny(s.Plain(), "\x00") {
			t.Errorf("%q", s.Plain())
		}
		plain(t, s)
	})
}
