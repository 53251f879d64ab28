package rtmp

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"pushcart/ingest/rtmp/amf"
	"pushcart/ingest/rtmp/rtmptest"
	"pushcart/media"
)

// logText collects a server's log.
type logText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logText) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

// host is one that publishes to a server of its own.
func host(t *testing.T) (*rtmptest.Client, *fakeShow, *Server, *logText) {
	t.Helper()
	desk, text := newFakeDesk(), new(logText)
	desk.setTrack = func(t media.Track) error {
		if bytes.Contains(t.Config, []byte("bad")) {
			return errors.New("its profile is not one that browsers play: set it to High")
		}
		return nil
	}
	s := &Server{Opener: desk, Log: slog.New(slog.NewTextHandler(text, nil))}
	c := publish(t, start(t, s), "key", rtmptest.Options{})
	return c, desk.Next(t), s, text
}

func TestEnhanced(t *testing.T) {
	c, show, _, _ := host(t)
	c.WriteVideo(0, rtmptest.ExVideo(true, rtmptest.SequenceStart, "hvc1", hvcC))
	c.WriteAudio(0, rtmptest.ExAudio(rtmptest.SequenceStart, "Opus", append([]byte("OpusHead"), 1, 2)))
	c.WriteVideo(0, rtmptest.ExVideo(true, rtmptest.Metadata, "hvc1", amf.Append(nil, "colorInfo", amf.Object{})))
	c.WriteVideo(10, rtmptest.ExVideo(true, rtmptest.CodedFrames, "hvc1", rtmptest.CompositionTime(-4, hevcIDR)))
	c.WriteVideo(20, rtmptest.ExVideo(false, rtmptest.CodedFramesX, "hvc1", rtmptest.NALs([]byte{2, 1, 1})))
	c.WriteAudio(21, rtmptest.ExAudio(rtmptest.CodedFrames, "Opus", []byte("pkt")))
	c.WriteVideo(0, rtmptest.ExVideo(true, rtmptest.SequenceStart, "av01", []byte{0x81, 8, 12, 0}))
	c.WriteVideo(30, rtmptest.ExVideo(true, rtmptest.CodedFrames, "av01", []byte{0x12, 0, 0x32, 1, 'a'}))
	want(t, show,
		media.AccessUnit{Track: 1, DTS: 10, PTS: 6, RandomAccess: true, Data: hevcIDR},
		media.AccessUnit{Track: 1, DTS: 20, PTS: 20, Data: rtmptest.NALs([]byte{2, 1, 1})},
		media.AccessUnit{Track: 2, DTS: 21, PTS: 21, RandomAccess: true, Data: []byte("pkt")},
		media.AccessUnit{Track: 1, DTS: 30, PTS: 30, RandomAccess: true, Data: []byte{0x32, 1, 'a'}})
	if v, _ := show.Track(1); v.Codec != media.CodecAV1 {
		t.Errorf("video is %+v", v)
	}
	if a, _ := show.Track(2); a.Codec != media.CodecOpus || !bytes.Equal(a.Config, []byte{1, 2}) {
		t.Errorf("audio is %+v", a)
	}
}

func TestHEVCAsCodec12(t *testing.T) {
	c, show, _, _ := host(t)
	c.WriteVideo(0, rtmptest.HEVCConfig(hvcC))
	c.WriteVideo(0, rtmptest.HEVCFrame(true, 5, hevcIDR))
	want(t, show, media.AccessUnit{Track: 1, PTS: 5, RandomAccess: true, Data: hevcIDR})
	if v, _ := show.Track(1); v.Codec != media.CodecHEVC {
		t.Errorf("video is %+v", v)
	}
}

func TestMultitrack(t *testing.T) {
	c, show, _, _ := host(t)
	c.WriteData(0, "@setDataFrame", "onMetaData", amf.Object{
		{Name: "videocodecid", Value: 7.0}, {Name: "audiocodecid", Value: "mp4a"}, {Name: "framerate", Value: 30.0}, {Name: "videodatarate", Value: 2500.0},
		{Name: "videoTrackIdInfoMap", Value: amf.Object{{Name: "1", Value: amf.Object{{Name: "videodatarate", Value: 500.0}}}}},
		{Name: "audioTrackIdInfoMap", Value: amf.Object{{Name: "2", Value: amf.Object{{Name: "audiodatarate", Value: 64.0}, {Name: "language", Value: "pt-BR"}}}}},
	})
	show.unit(t)
	c.WriteVideo(0, rtmptest.MultitrackVideo(true, rtmptest.ManyTracksManyCodecs, rtmptest.SequenceStart,
		rtmptest.TrackData{ID: 0, FourCC: "avc1", Data: avcC}, rtmptest.TrackData{ID: 1, FourCC: "hvc1", Data: hvcC}))
	c.WriteAudio(0, rtmptest.AACConfig(asc))
	c.WriteAudio(0, rtmptest.MultitrackAudio(rtmptest.OneTrack, rtmptest.SequenceStart, rtmptest.TrackData{ID: 2, FourCC: "mp4a", Data: asc}))
	c.WriteVideo(7, rtmptest.MultitrackVideo(true, rtmptest.ManyTracksManyCodecs, rtmptest.CodedFramesX,
		rtmptest.TrackData{ID: 0, FourCC: "avc1", Data: idr}, rtmptest.TrackData{ID: 1, FourCC: "hvc1", Data: hevcIDR}))
	c.WriteAudio(8, rtmptest.AACFrame([]byte("one")))
	c.WriteAudio(9, rtmptest.MultitrackAudio(rtmptest.OneTrack, rtmptest.CodedFrames, rtmptest.TrackData{ID: 2, FourCC: "mp4a", Data: []byte("two")}))
	want(t, show,
		media.AccessUnit{Track: 1, DTS: 7, PTS: 7, RandomAccess: true, Data: idr},
		media.AccessUnit{Track: 4, DTS: 7, PTS: 7, RandomAccess: true, Data: hevcIDR},
		media.AccessUnit{Track: 2, DTS: 8, PTS: 8, RandomAccess: true, Data: []byte("one")},
		media.AccessUnit{Track: 7, DTS: 9, PTS: 9, RandomAccess: true, Data: []byte("two")})
	v0, _ := show.Track(1)
	v1, _ := show.Track(4)
	a2, _ := show.Track(7)
	if v0.BitRate != 2_500_000 || v0.FrameRate != 30 || v1.BitRate != 500_000 || v1.FrameRate != 30 || v1.Codec != media.CodecHEVC ||
		a2.BitRate != 64_000 || a2.Language != "pt-BR" {
		t.Errorf("tracks are %+v, %+v, %+v", v0, v1, a2)
	}
}

func TestTooManyTracks(t *testing.T) {
	c, show, s, text := host(t)
	var tracks []rtmptest.TrackData
	for i := range 256 {
		tracks = append(tracks, rtmptest.TrackData{ID: byte(i), FourCC: "avc1", Data: avcC})
	}
	c.WriteVideo(0, rtmptest.MultitrackVideo(true, rtmptest.ManyTracks, rtmptest.SequenceStart, tracks...))
	c.WriteVideo(0, rtmptest.AVCFrame(true, 0, idr))
	show.unit(t)
	if _, ok := show.Track(trackID(media.KindVideo, maxTracks-1)); !ok {
		t.Error("the last track is missing")
	}
	if _, ok := show.Track(trackID(media.KindVideo, maxTracks)); ok || s.Stats().Malformed != 256-maxTracks || text.count("tracks") != 1 {
		t.Errorf("there is one too many, or it was not counted: %d", s.Stats().Malformed)
	}
}

// A codec configuration may come late, be repeated, change, be empty or be refused.
func TestConfigurations(t *testing.T) {
	c, show, _, text := host(t)
	c.WriteVideo(0, rtmptest.AVCFrame(true, 0, idr)) // before any configuration
	c.WriteVideo(1, rtmptest.AVCConfig(avcC))
	c.WriteVideo(1, rtmptest.AVCConfig(nil))
	c.WriteVideo(2, rtmptest.AVCFrame(false, 0, slice)) // the session waits for the keyframe, not the door
	c.WriteVideo(3, rtmptest.AVCConfig(avcC))
	changed := append(bytes.Clone(avcC), 1)
	changed[4] = 0xFD // lengths of two bytes
	c.WriteVideo(4, rtmptest.AVCConfig(changed))
	c.WriteVideo(5, rtmptest.AVCFrame(true, 0, []byte{0, 1, 0x65}))
	c.WriteVideo(6, rtmptest.AVCConfig(append(bytes.Clone(avcC), "bad"...)))
	c.WriteVideo(7, rtmptest.AVCFrame(true, 0, idr))
	c.WriteVideo(6, rtmptest.AVCConfig(append(bytes.Clone(avcC), "bad"...)))
	c.WriteVideo(6, rtmptest.AVCConfig(make([]byte, maxConfigSize+1)))
	c.WriteVideo(8, rtmptest.AVCConfig(avcC))
	c.WriteVideo(9, rtmptest.AVCFrame(true, 0, idr))
	want(t, show,
		media.AccessUnit{Track: 1, DTS: 2, PTS: 2, Data: slice},
		media.AccessUnit{Track: 1, DTS: 5, PTS: 5, RandomAccess: true, Data: []byte{0, 1, 0x65}},
		media.AccessUnit{Track: 1, DTS: 9, PTS: 9, RandomAccess: true, Data: idr})
	show.Lock()
	defer show.Unlock()
	if len(show.Tracks) != 4 { // data, and three of video
		t.Errorf("announced %d times: %+v", len(show.Tracks), show.Tracks)
	}
	if text.count("set it to High") != 1 || text.count("16385 bytes") != 1 {
		t.Error("a refused track is not in the log once")
	}
}

func TestTornFramesAreDropped(t *testing.T) {
	c, show, s, text := host(t)
	c.WriteVideo(0, rtmptest.AVCConfig(avcC))
	for i := range uint32(5) {
		c.WriteVideo(i, rtmptest.AVCFrame(true, 0, idr[:len(idr)-1]))
	}
	c.WriteVideo(5, rtmptest.AVCFrame(true, 0, []byte{0, 0, 0, 1, 0x65, 1, 2, 3}))
	c.WriteVideo(6, []byte{0x17, 1})                                // cut in its header
	c.WriteVideo(7, nil)                                            // as some encoders begin
	c.Message(3, 20, 0, 1, []byte("no command"))                    //
	c.WriteData(8, 12.0)                                            // a data message without a name
	c.Message(5, 18, 0, 1, append(amf.Append(nil, "onText"), 0x42)) //
	c.Message(22, 22, 0, 1, []byte{9, 0, 0, 100, 0, 0, 0, 0, 0, 0}) // aggregate, cut
	c.Message(5, 19, 0, 1, []byte("shared object, not for us"))     //
	c.Message(6, 9, 9, 1, bytes.Repeat([]byte{0x27}, (8<<20)+1))    // a picture that is too large
	c.WriteVideo(10, rtmptest.AVCFrame(true, 0, idr))
	want(t, show, media.AccessUnit{Track: 1, DTS: 10, PTS: 10, RandomAccess: true, Data: idr})
	if n := s.Stats().Malformed; n != 5+1+1+4+1 { // the large one, too: it came before the last
		t.Errorf("%d are counted", n)
	}
	if text.count("a broken video frame was dropped") != 1 || text.count("a broken message was dropped") != 1 {
		t.Errorf("the log does not say it once:\n%s", text.b.String())
	}
}

func TestAggregate(t *testing.T) {
	c, show, _, _ := host(t)
	tag := func(kind byte, time uint32, data []byte) []byte {
		b := []byte{kind, byte(len(data) >> 16), byte(len(data) >> 8), byte(len(data)), byte(time >> 16), byte(time >> 8), byte(time), byte(time >> 24), 0, 0, 0}
		return append(append(b, data...), 0, 0, 0, byte(len(data)+11))
	}
	var b []byte
	b = append(b, tag(9, 0x1000000, rtmptest.AVCConfig(avcC))...)
	b = append(b, tag(8, 0x1000000, rtmptest.AACConfig(asc))...)
	b = append(b, tag(9, 0x1000005, rtmptest.AVCFrame(true, 0, idr))...)
	b = append(b, tag(22, 0x1000005, nil)...)
	b = append(b, tag(8, 0x1000009, rtmptest.AACFrame([]byte("aac")))...)
	b = append(b, tag(18, 0x1000009, amf.Append(nil, "onCuePoint", amf.Object{}))...)
	c.Message(6, 22, 5000, 1, b)
	want(t, show,
		media.AccessUnit{Track: 1, DTS: 5005, PTS: 5005, RandomAccess: true, Data: idr},
		media.AccessUnit{Track: 2, DTS: 5009, PTS: 5009, RandomAccess: true, Data: []byte("aac")},
		media.AccessUnit{Track: 3, DTS: 5009, PTS: 5009, RandomAccess: true, Data: amf.Append(nil, "onCuePoint", amf.Object{})})
}

func TestDataMessages(t *testing.T) {
	c, show, _, _ := host(t)
	meta := amf.Append(nil, "onMetaData", amf.Object{{Name: "hasVideo", Value: true}, {Name: "hasAudio", Value: false}, {Name: "audiocodecid", Value: 10.0}})
	for range 3 { // as GStreamer does
		c.Message(5, 18, 100, 1, append(amf.Append(nil, "@setDataFrame"), meta...))
	}
	c.Message(5, 18, 0, 1, amf.Append(nil, "@clearDataFrame", "onMetaData"))
	c.WriteData(2000, "onTextData", amf.Object{{Name: "text", Value: "hello"}})
	c.WriteData(2001, "onFI", amf.Object{{Name: "st", Value: "10:00:00.000"}}, 7)
	c.WriteData(2002, "nothing else")
	want(t, show,
		media.AccessUnit{Track: 3, DTS: 100, PTS: 100, RandomAccess: true, Data: meta},
		media.AccessUnit{Track: 3, DTS: 2000, PTS: 2000, RandomAccess: true, Data: amf.Append(nil, "onTextData", amf.Object{{Name: "text", Value: "hello"}})},
		media.AccessUnit{Track: 3, DTS: 2001, PTS: 2001, RandomAccess: true, Data: amf.Append(nil, "onFI", amf.Object{{Name: "st", Value: "10:00:00.000"}}, 7)},
		media.AccessUnit{Track: 3, DTS: 2002, PTS: 2002, RandomAccess: true, Data: amf.Append(nil, "nothing else")})
	if !show.Video || show.Audio {
		t.Error("a flag does not count more than a codec ID")
	}
}

func TestMetadataAfterConfiguration(t *testing.T) {
	c, show, _, _ := host(t)
	c.WriteVideo(0, rtmptest.AVCConfig(avcC))
	c.WriteData(0, "onMetaData", amf.Array{{Name: "framerate", Value: 50.0}, {Name: "videodatarate", Value: -1.0}})
	show.unit(t)
	if v, _ := show.Track(1); v.FrameRate != 50 || v.BitRate != 0 || show.Promised {
		t.Errorf("video is %+v, promised %v", v, show.Promised)
	}
}

func TestCodecsThatAreNotCarried(t *testing.T) {
	vp9 := rtmptest.ExVideo(true, rtmptest.SequenceStart, "vp09", []byte{1})
	speex := []byte{0xB6, 1, 2, 3}
	t.Run("one of two tracks", func(t *testing.T) {
		c, show, _, text := host(t)
		c.WriteVideo(0, vp9)
		c.WriteVideo(0, vp9)
		c.WriteAudio(0, rtmptest.AACConfig(asc))
		for i := range uint32(10) {
			c.WriteVideo(i*1000, vp9)
			c.WriteAudio(i*1000, rtmptest.AACFrame([]byte("aac")))
		}
		for range 10 {
			show.unit(t)
		}
		if text.count("VP9") != 1 || text.count("H.264, HEVC or AV1") != 1 {
			t.Error("the log does not say it once")
		}
	})
	refused := func(t *testing.T, c *rtmptest.Client, show *fakeShow, text string) {
		t.Helper()
		s, err := c.Status()
		if err != nil || s.Level != "error" || s.Code != codePublishDenied || !strings.Contains(s.Description, text) {
			t.Errorf("got %+v, %v", s, err)
		}
		if err := c.Closed(); err != nil {
			t.Error(err)
		}
		if why := show.Ended(t); why == nil {
			t.Error("the session was told of a goodbye")
		}
	}
	t.Run("all that were promised", func(t *testing.T) {
		c, show, _, _ := host(t)
		c.WriteData(0, "onMetaData", amf.Array{{Name: "audiocodecid", Value: 2.0}})
		c.WriteAudio(0, speex)
		refused(t, c, show, "Speex")
	})
	t.Run("all that came in three seconds", func(t *testing.T) {
		c, show, _, _ := host(t)
		for i := range uint32(4) {
			c.WriteVideo(i*1001, vp9)
		}
		refused(t, c, show, "VP9")
	})
	t.Run("all, and time stands still", func(t *testing.T) {
		c, show, _, _ := host(t)
		for range patienceMessages + 1 {
			c.WriteAudio(0, speex)
		}
		refused(t, c, show, "Speex")
	})
	t.Run("not yet", func(t *testing.T) {
		c, show, _, _ := host(t)
		c.WriteData(0, "onMetaData", amf.Array{{Name: "audiocodecid", Value: 2.0}, {Name: "videocodecid", Value: 7.0}})
		c.WriteAudio(0, speex)
		c.WriteAudio(9000, speex)
		c.WriteVideo(9000, rtmptest.AVCConfig(avcC))
		c.WriteVideo(9000, rtmptest.AVCFrame(true, 0, idr))
		show.unit(t) // onMetaData
		want(t, show, media.AccessUnit{Track: 1, DTS: 9000, PTS: 9000, RandomAccess: true, Data: idr})
	})
}
