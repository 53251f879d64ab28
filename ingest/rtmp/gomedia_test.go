package rtmp

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/yapingcat/gomedia/go-codec"
	gomedia "github.com/yapingcat/gomedia/go-rtmp"

	"pushcart/media"
	"pushcart/media/mediatest"
)

// A publisher that shares no line with us: its units arrive as they were, at their times.
func TestGomediaPublishes(t *testing.T) {
	for name, options := range map[string][]func(*gomedia.RtmpClient){
		"simple":            nil,
		"digest, scheme 0":  {gomedia.WithComplexHandshake(), gomedia.WithComplexHandshakeSchema(gomedia.HANDSHAKE_COMPLEX_SCHEMA0)},
		"digest, scheme 1":  {gomedia.WithComplexHandshake(), gomedia.WithComplexHandshakeSchema(gomedia.HANDSHAKE_COMPLEX_SCHEMA1)},
		"chunks of 1 MB":    {gomedia.WithChunkSize(1 << 20)},
		"chunks of 300 B":   {gomedia.WithChunkSize(300)},
		"acks for 10,000 B": {gomedia.WithWndAckSize(10_000)},
	} {
		t.Run(name, func(t *testing.T) {
			desk := newFakeDesk()
			addr := start(t, &Server{Opener: desk})
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(atMost))
			client := gomedia.NewRtmpClient(append(options, gomedia.WithEnablePublish())...)
			client.SetOutput(func(b []byte) error { _, err := nc.Write(b); return err })
			client.Start("rtmp://" + addr + "/live/key")
			buf := make([]byte, 4096)
			for client.GetState() != gomedia.STATE_RTMP_PUBLISH_START {
				n, err := nc.Read(buf)
				if err != nil {
					t.Fatalf("state %d: %v", client.GetState(), err)
				}
				if err := client.Input(buf[:n]); err != nil {
					t.Fatal(err)
				}
			}
			show := desk.Next(t)
			if r := show.Request; r.App != "live" || r.Key != "key" {
				t.Errorf("request is %+v", r)
			}

			video, pictures := mediatest.Clip("h264b")
			audio, sounds := mediatest.Clip("aac")
			for _, au := range pictures {
				dts, pts := ms(au.DTS, video), ms(au.PTS, video)
				if err := client.WriteVideo(codec.CODECID_VIDEO_H264, annexB(au, video.Config), pts, dts); err != nil {
					t.Fatal(err)
				}
			}
			for _, au := range sounds {
				header, err := codec.ConvertASCToADTS(audio.Config, len(au.Data)+7)
				if err != nil {
					t.Fatal(err)
				}
				client.WriteAudio(codec.CODECID_AUDIO_AAC, append(header.Encode(), au.Data...), ms(au.DTS, audio), ms(au.DTS, audio))
			}
			for i, au := range pictures {
				got := show.unit(t)
				if got.Track != 1 || uint32(got.DTS) != ms(au.DTS, video) || uint32(got.PTS) != ms(au.PTS, video) || got.RandomAccess != au.RandomAccess {
					t.Errorf("picture %d is at %d and %d (random access %v), not at %d and %d", i, got.DTS, got.PTS, got.RandomAccess, ms(au.DTS, video), ms(au.PTS, video))
				}
				if !bytes.HasSuffix(got.Data, au.Data[len(au.Data)/2:]) {
					t.Errorf("picture %d has other bytes", i)
				}
			}
			for i, au := range sounds {
				got := show.unit(t)
				if got.Track != 2 || uint32(got.DTS) != ms(au.DTS, audio) || !bytes.Equal(got.Data, au.Data) {
					t.Errorf("sound %d has other bytes or another time", i)
				}
			}
			if a, _ := show.Track(2); !bytes.Equal(a.Config[:2], audio.Config[:2]) {
				t.Errorf("audio's configuration is %x, not %x", a.Config, audio.Config)
			}
		})
	}
}

func ms(ticks int64, t media.Track) uint32 { return uint32(media.Rescale(ticks, t.Timescale, 1000)) }

// annexB turns a unit into start codes, with the parameter sets before keyframes.
func annexB(au media.AccessUnit, avcC []byte) (b []byte) {
	startCode := []byte{0, 0, 0, 1}
	if au.RandomAccess {
		sps := avcC[8 : 8+int(avcC[6])<<8+int(avcC[7])]
		pps := avcC[8+len(sps)+3:]
		pps = pps[:int(avcC[8+len(sps)+1])<<8+int(avcC[8+len(sps)+2])]
		b = append(append(append(append(b, startCode...), sps...), startCode...), pps...)
	}
	for d := au.Data; len(d) > 0; {
		n := int(d[0])<<24 | int(d[1])<<16 | int(d[2])<<8 | int(d[3])
		b = append(append(b, startCode...), d[4:4+n]...)
		d = d[4+n:]
	}
	return b
}
