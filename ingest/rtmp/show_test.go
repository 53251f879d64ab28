package rtmp

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"pushcart/auth"
	"pushcart/ingest"
	"pushcart/ingest/rtmp/amf"
	"pushcart/ingest/rtmp/rtmptest"
	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// anyone lets everybody publish under the name that is the key.
type anyone struct{}

func (anyone) Publish(key string, _ netip.Addr) (auth.Grant, error) { return auth.ParseGrant(key) }

// recorder keeps what hosts say.
type recorder struct {
	mu   sync.Mutex
	said []said
}

type said struct {
	name string
	args []any
	at   time.Duration
}

func (r *recorder) HostMessage(_ *stream.Stream, name string, args []any, at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, said{name, args, at})
}

// house is a door with a desk and a hub behind it, and all that has happened in the shows.
type house struct {
	addr string
	hub  *stream.Hub
	recorder

	mu     sync.Mutex
	events []stream.Event // of all shows: a test has one
	read   sync.WaitGroup
}

func newHouse(t *testing.T) *house {
	h := new(house)
	log := slog.New(slog.DiscardHandler)
	h.hub = stream.NewHub(stream.Config{ReconnectWindow: -1}, log, func(s *stream.Stream) {
		r := s.NewReader()
		h.read.Go(func() {
			for {
				events, err := r.Next(context.Background())
				if err != nil {
					if !errors.Is(err, stream.ErrClosed) {
						t.Error(err)
					}
					return
				}
				h.mu.Lock()
				h.events = append(h.events, events...)
				h.mu.Unlock()
			}
		})
	})
	h.addr = start(t, &Server{Opener: &ingest.Desk{Hub: h.hub, Auth: anyone{}, Messages: &h.recorder, Log: log}})
	return h
}

// over waits until the show has ended, and returns its tracks and, by track ID, their units.
func (h *house) over() (tracks []media.Track, units map[int][]media.AccessUnit) {
	h.read.Wait()
	units = make(map[int][]media.AccessUnit)
	for _, ev := range h.events {
		for _, t := range ev.Tracks {
			if ev.Kind != stream.EventLeft && !slices.ContainsFunc(tracks, func(o media.Track) bool { return o.ID == t.ID }) {
				tracks = append(tracks, t)
			}
		}
		if ev.Kind == stream.EventUnit {
			units[ev.Unit.Track] = append(units[ev.Unit.Track], ev.Unit)
		}
	}
	return tracks, units
}

// beside counts the pictures of b that stand at a tick where none of a does.
func beside(a, b []media.AccessUnit) (n int) {
	for _, au := range b {
		if !slices.ContainsFunc(a, func(o media.AccessUnit) bool { return o.PTS == au.PTS }) {
			n++
		}
	}
	return n
}

// Three sizes of the picture and two sounds, as Enhanced RTMP v2 has them.
func TestLadderInOnePublish(t *testing.T) {
	h := newHouse(t)
	c := publish(t, h.addr, "a", rtmptest.Options{})
	info := func(members ...any) amf.Object {
		var o amf.Object
		for i := 0; i < len(members); i += 2 {
			o = append(o, amf.Member{Name: members[i].(string), Value: members[i+1]})
		}
		return o
	}
	c.WriteData(0, "@setDataFrame", "onMetaData", info(
		"videocodecid", "avc1", "audiocodecid", "mp4a", "framerate", 30.0, "videodatarate", 2500.0, "title", "My show",
		"videoTrackIdInfoMap", info("1", info("videodatarate", 1200.0, "label", "480p"), "2", info("videodatarate", 500.0, "framerate", 15.0)),
		"audioTrackIdInfoMap", info("0", info("language", "eng"), "1", info("language", "pt-br", "label", "Voz \"original\"")),
	))
	video := func(kind byte, key bool, i int) {
		var tracks []rtmptest.TrackData
		for n := range byte(3) {
			if n == 2 && i%2 == 1 {
				continue
			}
			data := mediatest.Video{}.Track().Config
			if kind == rtmptest.CodedFramesX {
				data = mediatest.Video{}.Unit(i).Data
			}
			tracks = append(tracks, rtmptest.TrackData{ID: n, FourCC: "avc1", Data: data})
		}
		c.WriteVideo(uint32(i*1000/30), rtmptest.MultitrackVideo(key, rtmptest.ManyTracks, kind, tracks...))
	}
	sound := mediatest.Audio{}
	video(rtmptest.SequenceStart, true, 0)
	c.WriteAudio(0, rtmptest.AACConfig(sound.Track().Config))
	c.WriteAudio(0, rtmptest.MultitrackAudio(rtmptest.OneTrack, rtmptest.SequenceStart, rtmptest.TrackData{ID: 1, FourCC: "mp4a", Data: sound.Track().Config}))
	for i := range 120 {
		video(rtmptest.CodedFramesX, i%60 == 0, i)
		for n := i * 1600 / 1024; n < (i+1)*1600/1024; n++ {
			at := uint32(n * 1024 / 48)
			c.WriteAudio(at, rtmptest.AACFrame(sound.Unit(n).Data))
			c.WriteAudio(at, rtmptest.MultitrackAudio(rtmptest.OneTrack, rtmptest.CodedFrames, rtmptest.TrackData{ID: 1, FourCC: "mp4a", Data: sound.Unit(n).Data}))
		}
	}
	if err := c.Goodbye(); err != nil {
		t.Fatal(err)
	}
	tracks, units := h.over()
	byID := make(map[int]media.Track)
	for _, track := range tracks {
		byID[track.ID] = track
	}
	v0, v1, v2, a0, a1 := byID[1], byID[4], byID[6], byID[2], byID[5]
	if v0.BitRate != 2_500_000 || v0.Label != "" || v1.BitRate != 1_200_000 || v1.Label != "480p" || v1.FrameRate != 30 || v2.FrameRate != 15 {
		t.Errorf("the pictures are %+v, %+v, %+v", v0, v1, v2)
	}
	if a0.Language != "en" || a0.Label != "English" || a1.Language != "pt-BR" || a1.Label != "Voz original" {
		t.Errorf("the sounds are %q %q and %q %q", a0.Language, a0.Label, a1.Language, a1.Label)
	}
	if len(units[1]) != 120 || len(units[4]) != 120 || len(units[6]) != 60 || len(units[2]) != len(units[5]) || len(units[2]) < 180 {
		t.Errorf("units: %d, %d, %d of the pictures, %d, %d of the sounds", len(units[1]), len(units[4]), len(units[6]), len(units[2]), len(units[5]))
	}
	if n := beside(units[1], units[4]) + beside(units[1], units[6]); n != 0 {
		t.Errorf("%d pictures of other sizes have none of the first beside them", n)
	}
}

// ffmpeg makes a show with B-frames and sound, a smaller rendition without either on another connection, and
// sends texts: both pictures stand on the same ticks, and a text at the picture that it was meant for.
func TestFFmpegRungAndText(t *testing.T) {
	h := newHouse(t)
	srt := filepath.Join(t.TempDir(), "cues.srt")
	text := "1\n00:00:01,000 --> 00:00:01,500\nwig-1\n\n2\n00:00:03,000 --> 00:00:04,000\nwig-2\n\n"
	if err := os.WriteFile(srt, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	url := "rtmp://" + h.addr + "/live/a"
	cmd := ffmpeg(t, "-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=30", "-re", "-f", "lavfi", "-i", "sine=sample_rate=48000", "-i", srt,
		"-map", "0:v", "-map", "1:a", "-map", "2:s", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "30", "-c:a", "aac", "-c:s", "text", "-t", "7", "-f", "flv", url,
		"-map", "0:v", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-s", "160x120", "-g", "30", "-t", "7", "-f", "flv", url+"/120p")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	tracks, units := h.over()
	i := slices.IndexFunc(tracks, func(t media.Track) bool { return t.Contributed })
	if i < 0 || tracks[i].Label != "120p" {
		t.Fatalf("the tracks are %+v", tracks)
	}
	// The rendition has to wait for the host's keyframes, and may lose its first.
	rung := units[tracks[i].ID]
	if n := beside(units[1], rung); len(rung) < 120 || n != 0 {
		t.Errorf("%d of %d pictures of the rendition have none of the host's beside them", n, len(rung))
	}
	var keys []time.Duration
	for _, au := range units[1] {
		if au.RandomAccess {
			keys = append(keys, media.Duration(au.PTS, 90000))
		}
	}
	h.recorder.mu.Lock()
	defer h.recorder.mu.Unlock()
	if len(h.said) != 2 || len(keys) < 4 {
		t.Fatalf("the host has said %+v, with %d keyframes", h.said, len(keys))
	}
	for i, second := range []int{1, 3} {
		s := h.said[i]
		if s.name != "onTextData" || s.args[0].(map[string]any)["text"] != []string{"wig-1", "wig-2"}[i] {
			t.Errorf("the host has said %+v", s)
		}
		if off := s.at - keys[second]; off.Abs() > time.Millisecond {
			t.Errorf("what was to be said at second %d is %v late", second, off)
		}
	}
}
