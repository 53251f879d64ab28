package rtmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"testing/iotest"
	"time"

	"pushcart/ingest"
	"pushcart/ingest/rtmp/amf"
	"pushcart/ingest/rtmp/chunk"
	"pushcart/ingest/rtmp/rtmptest"
	"pushcart/media"
)

// sent builds what a client sends, handshake and all, in chunks of 128 bytes.
type sent struct{ b []byte }

func newSent() *sent {
	return &sent{append([]byte{3}, make([]byte, 2*handshakeSize)...)}
}

func (s *sent) message(kind uint8, time uint32, data []byte) *sent {
	s.b = chunk.Append(s.b, 3, chunk.DefaultSize, chunk.Message{Type: kind, Stream: 1, Timestamp: time, Data: data})
	return s
}

func (s *sent) command(args ...any) *sent {
	return s.message(chunk.TypeCommandAMF0, 0, amf.Append(nil, args...))
}

// publishing returns the shortest way to a publish.
func publishing(app, key string) []byte {
	return newSent().command("connect", 1, amf.Object{{Name: "app", Value: app}}).command("publish", 2, nil, key, "live").b
}

// scripted is a connection whose client has sent all it will ever send.
type scripted struct {
	io.Reader
	written bytes.Buffer
}

func (s *scripted) Write(b []byte) (int, error)      { return s.written.Write(b) }
func (s *scripted) Close() error                     { return nil }
func (s *scripted) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (s *scripted) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (s *scripted) SetDeadline(time.Time) error      { return nil }
func (s *scripted) SetReadDeadline(time.Time) error  { return nil }
func (s *scripted) SetWriteDeadline(time.Time) error { return nil }

// sink lets everybody in and checks what a session may rely on.
type sink struct {
	t      *testing.T
	tracks map[int]media.Track
	units  int
	closed int
}

func (s *sink) Open(r ingest.Request) (ingest.Publisher, error) {
	if r.App == "" || r.Key == "" || len(r.Key) > maxNameLength || len(r.Query) > maxNameLength || len(r.Agent) > maxAgentLength {
		s.t.Errorf("request %+v", r)
	}
	s.tracks = make(map[int]media.Track)
	return s, nil
}

func (s *sink) SetTrack(t media.Track) error {
	if t.ID < 1 || t.Timescale != 1000 && !t.Codec.ForTranscoding() || t.Kind() == media.KindUnknown || len(t.Config) > maxConfigSize || len(t.Language) > maxLanguage || len(t.Label) > maxLabel ||
		t.FrameRate < 0 || t.FrameRate > maxFrameRate || t.BitRate < 0 {
		s.t.Errorf("track %+v", t)
	}
	if _, err := media.ParseConfig(t); err != nil && t.Codec.ForTranscoding() {
		s.t.Errorf("track %+v: %v", t, err)
	}
	s.tracks[t.ID] = t
	return nil
}

func (s *sink) Write(au media.AccessUnit) error {
	t, ok := s.tracks[au.Track]
	if !ok || len(au.Data) == 0 || t.Kind() != media.KindVideo && (!au.RandomAccess || au.PTS != au.DTS) {
		s.t.Errorf("unit %+v of track %+v", au, t)
	}
	s.units++
	return nil
}

func (s *sink) Expect(bool, bool) { s.t.Error("the number of tracks was not passed on") }
func (s *sink) ExpectTracks(video, audio int) {
	if video < 0 || audio < 0 || video+audio == 0 || max(video, audio) > maxTracks {
		s.t.Errorf("%d and %d tracks are promised", video, audio)
	}
}
func (s *sink) Done() <-chan struct{} { return nil }
func (s *sink) Err() error            { return nil }
func (s *sink) Close(error)           { s.closed++ }

// FuzzConnection sends data behind a handshake and, if publish is set, behind a publish with a track of each
// kind.
func FuzzConnection(f *testing.F) {
	tail := func(s *sent) []byte { return s.b[1+2*handshakeSize:] }
	whole := newSent().command("connect", 1, amf.Object{{Name: "app", Value: "live"}, {Name: "fourCcList", Value: amf.List{"hvc1"}}}).
		command("releaseStream", 2, nil, "key").command("createStream", 3, nil).command("publish", 4, nil, "key?a=b", "live")
	f.Add(false, tail(whole))
	f.Add(false, tail(newSent().command("connect", 1, amf.Object{{Name: "tcUrl", Value: "rtmp://h/live/key"}}).command("play", 2, nil, "key")))
	f.Add(true, tail(newSent().message(chunk.TypeVideo, 5, rtmptest.AVCFrame(true, -3, idr)).message(chunk.TypeAudio, 6, rtmptest.AACFrame([]byte("x"))).
		message(chunk.TypeDataAMF0, 7, amf.Append(nil, "onCuePoint", amf.Object{})).command("FCUnpublish", 5, nil, "key").command("publish", 6, nil, "again")))
	f.Add(true, tail(newSent().message(chunk.TypeUserControl, 0, []byte{0, 6, 0, 0, 0, 1}).message(chunk.TypeSetChunkSize, 0, []byte{0, 0, 0, 1}).
		message(chunk.TypeWindowAckSize, 0, []byte{0, 0, 0, 0}).message(chunk.TypePeerBandwidth, 0, nil)))
	tracks := func(names ...string) (o amf.Object) {
		for _, n := range names {
			o = append(o, amf.Member{Name: n, Value: amf.Object{{Name: "language", Value: "pt-BR"}, {Name: "label", Value: n}, {Name: "framerate", Value: 15.0}, {Name: "audiodatarate", Value: -1.0}}})
		}
		return o
	}
	f.Add(true, tail(newSent().message(chunk.TypeDataAMF0, 0, amf.Append(nil, "@setDataFrame", "onMetaData", amf.Object{
		{Name: "videocodecid", Value: "avc1"}, {Name: videoMap, Value: tracks("0", "1", "255", "256", "-1", "x", "01")}, {Name: audioMap, Value: tracks("1", "1", "2")},
	})).message(chunk.TypeVideo, 0, rtmptest.MultitrackVideo(true, rtmptest.ManyTracks, rtmptest.SequenceStart,
		rtmptest.TrackData{ID: 0, FourCC: "avc1", Data: avcC}, rtmptest.TrackData{ID: 255, Data: avcC})).
		message(chunk.TypeAudio, 0, rtmptest.MultitrackAudio(rtmptest.OneTrack, rtmptest.SequenceStart, rtmptest.TrackData{ID: 2, FourCC: "mp4a", Data: asc})).
		message(chunk.TypeVideo, 3, rtmptest.MultitrackVideo(true, rtmptest.ManyTracks, rtmptest.CodedFramesX,
			rtmptest.TrackData{ID: 255, FourCC: "avc1", Data: idr}, rtmptest.TrackData{ID: 0, Data: idr}))))
	f.Add(true, tail(newSent().message(chunk.TypeAudio, 0, append([]byte{0x72}, make([]byte, 800)...)).message(chunk.TypeAudio, 100, []byte{0x3E, 1, 2, 3}).
		message(chunk.TypeAudio, 200, []byte{0x2F, 0xFF, 0xFB, 0x90, 0x44}).message(chunk.TypeAudio, 300, rtmptest.ExAudio(rtmptest.CodedFrames, ".mp3", []byte{0xFF, 0xE3, 0x18, 0xC4}))))
	f.Fuzz(func(t *testing.T, publish bool, data []byte) {
		prefix := newSent().b
		if publish {
			prefix = newSent().command("connect", 1, amf.Object{{Name: "app", Value: "live"}}).command("publish", 2, nil, "key", "live").
				message(chunk.TypeVideo, 0, rtmptest.AVCConfig(avcC)).message(chunk.TypeAudio, 0, rtmptest.AACConfig(asc)).b
		}
		desk := &sink{t: t}
		s := &Server{Opener: desk, Log: slog.New(slog.DiscardHandler)}
		s.init()
		nc := &scripted{Reader: bytes.NewReader(append(prefix, data...))}
		place, err := s.lobby.Enter(nc)
		if err != nil {
			t.Fatal(err)
		}
		newConn(s, place, nil).serve()
		if publish && desk.closed == 0 {
			t.Error("the session was not closed")
		}
		if desk.units > len(data) {
			t.Errorf("%d units from %d bytes", desk.units, len(data))
		}
		if st := s.Stats(); st.Connections != 0 || st.Publishing != 0 {
			t.Errorf("stats are %+v", st)
		}
		// Answers stay in proportion: an attacker can't make us talk much.
		if n := nc.written.Len(); n > 1+2*handshakeSize+2000+120*len(data) {
			t.Errorf("%d bytes of answers to %d", n, len(data))
		}
	})
}

func FuzzHandshake(f *testing.F) {
	f.Add([]byte{3, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Add([]byte{0x16, 3, 1, 2})
	f.Add(append([]byte{3, 0, 0, 0, 0, 9, 0, 124, 2}, bytes.Repeat([]byte{0xFF}, 2*handshakeSize)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		for range 2 {
			nc := &scripted{Reader: iotest.HalfReader(bytes.NewReader(data))}
			err := handshake(nc)
			switch {
			case err == nil && (len(data) < 1+2*handshakeSize || data[0] != 3):
				t.Fatal("a handshake without a client")
			case err == nil || err == io.EOF || err == io.ErrUnexpectedEOF:
			case errors.As(err, new(FormatError)) || errors.As(err, new(UnsupportedError)):
			default:
				t.Fatal(err)
			}
			answer := nc.written.Bytes()
			if len(answer) != 0 && len(answer) != 1+2*handshakeSize {
				t.Fatalf("%d bytes of answer", len(answer))
			}
			if len(answer) > 0 && binary.BigEndian.Uint32(data[5:]) == 0 && !bytes.Equal(answer[1+handshakeSize:], data[1:1+handshakeSize]) {
				t.Fatal("S2 is no echo of C1")
			}
			data = append([]byte{3}, data...)
		}
	})
}

func TestHandshakeErrors(t *testing.T) {
	for in, want := range map[string]error{
		"\x16\x03\x01":             FormatError("the client speaks TLS to the port for plain RTMP: use rtmp:// here, or the RTMPS port"),
		"POST /":                   FormatError("the client speaks HTTP or another text protocol, not RTMP"),
		"\x06":                     UnsupportedError("encrypted RTMP (RTMPE): use rtmp:// or rtmps://"),
		"\x00":                     FormatError("the client speaks version 0 of RTMP, not 3"),
		"":                         io.EOF,
		"\x03\x00":                 io.ErrUnexpectedEOF,
		string(newSent().b[:2000]): io.ErrUnexpectedEOF,
	} {
		if err := handshake(&scripted{Reader: bytes.NewReader([]byte(in))}); err != want {
			t.Errorf("%.20q: %v", in, err)
		}
	}
	if err := handshake(&scripted{Reader: iotest.OneByteReader(bytes.NewReader(newSent().b))}); err != nil {
		t.Error(err)
	}
}
