package rtmp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pushcart/ingest"
	"pushcart/ingest/rtmp/amf"
	"pushcart/ingest/rtmp/rtmptest"
	"pushcart/media"
)

// Configurations as far as the door looks into them, and a picture.
var (
	avcC    = []byte{1, 0x42, 0xC0, 0x1E, 0xFF, 0xE1, 0, 1, 0x67, 1, 0, 1, 0x68}
	hvcC    = append(make([]byte, 21), 0xFF, 0)
	asc     = []byte{0x11, 0x90}
	idr     = rtmptest.NALs([]byte{0x65, 1, 2, 3})
	slice   = rtmptest.NALs([]byte{0x41, 1, 2, 3})
	hevcIDR = rtmptest.NALs([]byte{19 << 1, 1, 2, 3})
)

func publish(t testing.TB, addr, key string, o rtmptest.Options) *rtmptest.Client {
	t.Helper()
	c, err := rtmptest.Publish(context.Background(), "rtmp://"+addr+"/live/"+key, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

func want(t testing.TB, show *fakeShow, units ...media.AccessUnit) {
	t.Helper()
	for _, w := range units {
		if got := show.unit(t); !reflect.DeepEqual(got, w) {
			t.Errorf("got %+v\nwant %+v", got, w)
		}
	}
}

// The ways encoders have, one publish each.
func TestEncoderHabits(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	for name, o := range map[string]rtmptest.Options{
		"ordinary":                    {},
		"digest, first half":          {Digest: 1},
		"digest, second half":         {Digest: 2},
		"chunks of one byte":          {ChunkSize: 1},
		"chunks of 2^31-1 bytes":      {ChunkSize: 1<<31 - 1},
		"AMF3 wrapper":                {AMF3: true},
		"extended times not repeated": {OmitRepeatedTime: true, ChunkSize: 100},
	} {
		t.Run(name, func(t *testing.T) {
			c := publish(t, addr, "key?token=1", o)
			show := desk.Next(t)
			if r := show.Request; r.App != "live" || r.Key != "key" || r.Query != "token=1" || !r.Remote.IsValid() || !strings.Contains(r.Agent, "rtmptest") {
				t.Errorf("request is %+v", r)
			}
			big := rtmptest.NALs(append([]byte{0x65}, bytes.Repeat([]byte{7}, 30_000)...))
			c.WriteData(0, "@setDataFrame", "onMetaData", amf.Array{{Name: "framerate", Value: 30.0}, {Name: "videocodecid", Value: 7.0}})
			c.WriteVideo(0, rtmptest.AVCConfig(avcC))
			c.WriteAudio(0, rtmptest.AACConfig(asc))
			const late = 0xFFFFFFF0
			c.WriteVideo(late, rtmptest.AVCFrame(true, -1, big))
			c.WriteAudio(late+8, rtmptest.AACFrame([]byte("aac")))
			c.WriteVideo(8, rtmptest.AVCFrame(false, 80, slice))
			if err := c.Goodbye(); err != nil {
				t.Fatal(err)
			}
			meta := amf.Append(nil, "onMetaData", amf.Array{{Name: "framerate", Value: 30.0}, {Name: "videocodecid", Value: 7.0}})
			want(t, show,
				media.AccessUnit{Track: 3, RandomAccess: true, Data: meta},
				media.AccessUnit{Track: 1, DTS: -16, PTS: -17, RandomAccess: true, Data: big},
				media.AccessUnit{Track: 2, DTS: -8, PTS: -8, RandomAccess: true, Data: []byte("aac")},
				media.AccessUnit{Track: 1, DTS: 8, PTS: 88, Data: slice})
			if why := show.Ended(t); why != nil {
				t.Errorf("ended with %v", why)
			}
			v, _ := show.Track(1)
			a, _ := show.Track(2)
			d, _ := show.Track(3)
			if !reflect.DeepEqual(v, media.Track{ID: 1, Codec: media.CodecH264, Timescale: 1000, Config: avcC, FrameRate: 30}) ||
				!reflect.DeepEqual(a, media.Track{ID: 2, Codec: media.CodecAAC, Timescale: 1000, Config: asc}) ||
				!reflect.DeepEqual(d, media.Track{ID: 3, Codec: media.CodecAMF0, Timescale: 1000}) {
				t.Errorf("tracks are %+v, %+v, %+v", v, a, d)
			}
			if !show.Promised || !show.Video || show.Audio {
				t.Error("the promise of onMetaData was not passed on")
			}
		})
	}
}

// Encoders use the commands in any order and leave out what they like.
func TestCommandOrders(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	for name, commands := range map[string]func(c *rtmptest.Client){
		"publish at once": func(c *rtmptest.Client) {
			c.Command(0, "publish", 2, nil, "key", "live")
		},
		"createStream, FCPublish, releaseStream, publish": func(c *rtmptest.Client) {
			c.Command(0, "createStream", 2, nil)
			c.Command(0, "FCPublish", 3, nil, "key")
			c.Command(0, "releaseStream", 4, nil, "key")
			c.Command(1, "publish", 5, nil, "key", "record")
		},
		"unknown ones between": func(c *rtmptest.Client) {
			c.Command(0, "_checkbw", 2, nil)
			c.Command(0, "getStreamLength", 3, nil, "key")
			c.Command(0, "setPlaylist", 0, nil, amf.List{"x"})
			c.Command(0, "createStream", 4, nil)
			c.Command(0, "deleteStream", 5, nil, 1.0)
			c.Command(0, "createStream", 6, nil)
			c.Command(2, "publish", 7, nil, "key")
		},
		"no command object, no transaction": func(c *rtmptest.Client) {
			c.Command(1, "publish", 0, "key")
		},
		"an AMF3 value at the end": func(c *rtmptest.Client) {
			c.Message(3, 17, 0, 1, append(append([]byte{0}, amf.Append(nil, "publish", 2, nil, "key")...), 0x11, 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := rtmptest.Dial(context.Background(), "rtmp://"+addr+"/live", rtmptest.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Kill()
			commands(c)
			if s, err := c.Status(); err != nil || s.Code != codePublishStart {
				t.Fatalf("got %+v, %v", s, err)
			}
			if r := desk.Next(t).Request; r.App != "live" || r.Key != "key" {
				t.Errorf("request is %+v", r)
			}
		})
	}
}

func TestGoodbyes(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	for _, command := range []string{"FCUnpublish", "deleteStream", "closeStream"} {
		c := publish(t, addr, "key", rtmptest.Options{})
		show := desk.Next(t)
		c.Command(0, "deleteStream", 6, nil, 99.0) // not one of ours, but the publish is over, most likely
		if why := show.Ended(t); why != nil {
			t.Errorf("%s: ended with %v", command, why)
		}
		// The connection may publish again.
		c.Status()
		c.Command(1, "publish", 7, nil, "again")
		if s, err := c.Status(); err != nil || s.Code != codePublishStart {
			t.Fatalf("%s: second publish: %+v, %v", command, s, err)
		}
		show = desk.Next(t)
		c.Command(1, command, 8, nil, 1.0)
		if why := show.Ended(t); why != nil || show.Request.Key != "again" {
			t.Errorf("%s: ended with %v", command, why)
		}
		if s, err := c.Status(); err != nil || s.Code != codeUnpublishSuccess {
			t.Errorf("%s: %+v, %v", command, s, err)
		}
	}
}

func TestConnectionLost(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	c := publish(t, addr, "key", rtmptest.Options{})
	show := desk.Next(t)
	c.Kill()
	if why := show.Ended(t); why == nil {
		t.Error("a lost connection counts as a goodbye")
	}
}

func TestSessionEndsIt(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	c := publish(t, addr, "key", rtmptest.Options{})
	show := desk.Next(t)
	show.End(errors.New("Another connection has taken over this stream key."))
	s, err := c.Status()
	if err != nil || s.Level != "error" || !strings.Contains(s.Description, "taken over") {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := c.Closed(); err != nil {
		t.Error(err)
	}
	if why := show.Ended(t); why == nil {
		t.Error("Close was told of a goodbye")
	}
}

func TestRefusals(t *testing.T) {
	const sentence = "This stream key is not known here: copy it again."
	desk := newFakeDesk()
	desk.Refuse = func(r ingest.Request) error {
		if r.Key == "broken" {
			return errors.New("database is on fire")
		}
		return &ingest.Refusal{Reason: sentence}
	}
	s := &Server{Opener: desk}
	addr := start(t, s)
	for _, test := range []struct{ path, code, text string }{
		{"live/unknown", codePublishDenied, sentence},
		{"live/broken", codePublishDenied, "try again"},
		{"live", codePublishDenied, "The stream key is missing"},
		{"li%20ve/key", codeConnectRejected, "blank"},
	} {
		c, err := rtmptest.Dial(context.Background(), "rtmp://"+addr+"/"+test.path, rtmptest.Options{})
		if err == nil {
			err = c.Publish()
		}
		var refused *rtmptest.Refused
		if !errors.As(err, &refused) || refused.Level != "error" || refused.Code != test.code || !strings.Contains(refused.Description, test.text) {
			t.Errorf("%s: %v", test.path, err)
		}
		if strings.Contains(fmt.Sprint(err), "fire") {
			t.Error("an inner error was shown to a stranger")
		}
		if c != nil {
			if err := c.Closed(); err != nil {
				t.Errorf("%s: %v", test.path, err)
			}
			c.Kill()
		}
	}
	if n := s.Stats().Refused; n != 4 {
		t.Errorf("%d refusals are counted", n)
	}
}

func TestPlayIsRefused(t *testing.T) {
	addr := start(t, &Server{Opener: newFakeDesk()})
	c, err := rtmptest.Dial(context.Background(), "rtmp://"+addr+"/live/key", rtmptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	c.Command(1, "play", 2, nil, "key")
	if s, err := c.Status(); err != nil || s.Code != codePlayFailed || !strings.Contains(s.Description, "HLS") {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := c.Closed(); err != nil {
		t.Error(err)
	}
}

// A second publish on a connection, or a play, does the first one no harm.
func TestSecondPublishIsRefused(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	c := publish(t, addr, "key", rtmptest.Options{})
	show := desk.Next(t)
	c.Command(2, "publish", 6, nil, "other")
	if s, err := c.Status(); err != nil || s.Code != codePublishBadName {
		t.Errorf("got %+v, %v", s, err)
	}
	c.Command(2, "play", 6, nil, "other")
	if s, err := c.Status(); err != nil || s.Code != codePlayFailed {
		t.Errorf("got %+v, %v", s, err)
	}
	c.WriteAudio(0, rtmptest.AACConfig(asc))
	c.WriteAudio(0, rtmptest.AACFrame([]byte("aac")))
	want(t, show, media.AccessUnit{Track: 2, RandomAccess: true, Data: []byte("aac")})
}

func TestConnectAnswersEnhanced(t *testing.T) {
	addr := start(t, &Server{Opener: newFakeDesk()})
	for _, enhanced := range []bool{false, true} {
		var o rtmptest.Options
		if enhanced {
			o.Connect = amf.Object{{Name: "fourCcList", Value: amf.List{"hvc1"}}}
		}
		c, err := rtmptest.Dial(context.Background(), "rtmp://"+addr+"/live/key", o)
		if err != nil {
			t.Fatal(err)
		}
		c.Kill()
		if len(c.ConnectResult) != 2 || c.ConnectResult[1].Get("objectEncoding") != 0.0 || c.ConnectResult[1].String("code") != codeConnectSuccess {
			t.Errorf("answer is %v", c.ConnectResult)
		}
		for _, o := range c.ConnectResult {
			if o.Has("videoFourCcInfoMap") != enhanced || o.Has("capsEx") != enhanced {
				t.Errorf("enhanced %v: answer is %v", enhanced, o)
			}
		}
		if video := amf.Members(c.ConnectResult[1].Get("videoFourCcInfoMap")); enhanced && video.Number("av01") == 0 {
			t.Errorf("AV1 is not offered: %v", video)
		}
	}
}

func TestPingAndAcks(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	c := publish(t, addr, "key", rtmptest.Options{})
	show := desk.Next(t)
	c.Message(2, 5, 0, 0, []byte{0, 0, 0x80, 0}) // window of 32 KiB
	c.Message(2, 6, 0, 0, []byte{0, 0, 0x80, 0, 2})
	c.Message(2, 3, 0, 0, []byte{0, 0, 0, 1})
	c.WriteAudio(0, rtmptest.AACConfig(asc))
	for range 20 {
		c.WriteAudio(0, rtmptest.AACFrame(make([]byte, 10_000)))
	}
	for range 20 {
		show.unit(t)
	}
	if err := c.Ping(12345); err != nil {
		t.Fatal(err)
	}
	acks := c.Acks()
	if len(acks) < 5 || acks[len(acks)-1] < 180_000 {
		t.Fatalf("acknowledged %v of 200,000 bytes", acks)
	}
	for i := 1; i < len(acks); i++ {
		if d := acks[i] - acks[i-1]; d == 0 || d > 32<<10 {
			t.Errorf("%d bytes between two acknowledgements", d)
		}
	}
}
