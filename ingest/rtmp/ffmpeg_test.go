package rtmp

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"pushcart/ingest"
	"pushcart/media"
)

// ffmpeg returns a command that publishes a test picture and tone to url. Without ffmpeg the test is
// skipped, or fails where it must not be (CI is set).
func ffmpeg(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ffmpeg is missing: make tools installs it")
		}
		t.Skip("ffmpeg is missing")
	}
	return exec.CommandContext(t.Context(), path, append([]string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning"}, args...)...)
}

func TestFFmpegPublishes(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	cmd := ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-f", "lavfi", "-i", "sine=sample_rate=48000",
		"-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25", "-c:a", "aac", "-t", "4",
		"-f", "flv", "rtmp://"+addr+"/live/secret?clientConfigId=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	show := desk.Next(t)
	if r := show.Request; r.App != "live" || r.Key != "secret" || r.Query != "clientConfigId=1" || r.Protocol != "rtmp" {
		t.Errorf("request is %+v", r)
	}
	if why := show.Ended(t); why != nil {
		t.Errorf("the publish ended with %v, not with a goodbye", why)
	}
	var video, audio, data, random, reordered int
	last := map[int]int64{}
	for len(show.units) > 0 {
		au := <-show.units
		if au.DTS < last[au.Track] {
			t.Errorf("track %d: DTS goes from %d to %d", au.Track, last[au.Track], au.DTS)
		}
		last[au.Track] = au.DTS
		switch au.Track {
		case videoTrackID:
			video++
			if au.RandomAccess {
				random++
			}
			if au.PTS != au.DTS {
				reordered++
			}
		case audioTrackID:
			audio++
		case dataTrackID:
			data++
		}
	}
	if video != 100 || random != 4 || reordered == 0 {
		t.Errorf("got %d pictures, %d random access points, %d reordered", video, random, reordered)
	}
	if audio < 185 || audio > 190 {
		t.Errorf("got %d audio frames for 4 s at 48 kHz", audio)
	}
	if data == 0 {
		t.Error("onMetaData was not delivered")
	}
	if !show.Promised || !show.Video || !show.Audio {
		t.Error("onMetaData's promise was not passed on")
	}
	v, _ := show.Track(videoTrackID)
	a, _ := show.Track(audioTrackID)
	if v.Codec != media.CodecH264 || v.FrameRate != 25 || a.Codec != media.CodecAAC {
		t.Errorf("tracks are %+v and %+v", v, a)
	}
}

// Timestamps that need the extended field (after 4 h 40 min), that begin to, and that wrap: ffmpeg's at
// 2^31 ms.
func TestFFmpegLateInAShow(t *testing.T) {
	desk := newFakeDesk()
	addr := start(t, &Server{Opener: desk})
	for _, offset := range []string{"16775", "20000", "2147481"} {
		cmd := ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25", "-f", "lavfi", "-i", "sine=sample_rate=48000",
			"-c:v", "libx264", "-preset", "ultrafast", "-b:v", "6M", "-bf", "2", "-g", "25", "-c:a", "aac", "-t", "4",
			"-output_ts_offset", offset, "-f", "flv", "rtmp://"+addr+"/live/key")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		show := desk.Next(t)
		show.Ended(t)
		count, last, first := map[int]int{}, map[int]int64{}, map[int]int64{}
		for len(show.units) > 0 {
			au := <-show.units
			if count[au.Track]++; count[au.Track] == 1 {
				first[au.Track] = au.DTS
			} else if d := au.DTS - last[au.Track]; d < 0 || d > 100 {
				t.Errorf("offset %s, track %d: DTS goes from %d to %d", offset, au.Track, last[au.Track], au.DTS)
			}
			last[au.Track] = au.DTS
		}
		if count[videoTrackID] != 100 || last[videoTrackID]-first[videoTrackID] != 99*40 || count[audioTrackID] < 185 {
			t.Errorf("offset %s: %d pictures in %d ms, %d audio frames", offset, count[videoTrackID], last[videoTrackID]-first[videoTrackID], count[audioTrackID])
		}
	}
}

// ffmpeg waits for ever after a refusal if the connection stays open.
func TestFFmpegIsRefused(t *testing.T) {
	const sentence = "The stream key is not known here: copy it again from your dashboard."
	desk := newFakeDesk()
	desk.Refuse = func(ingest.Request) error { return &ingest.Refusal{Reason: sentence} }
	addr := start(t, &Server{Opener: desk})
	cmd := ffmpeg(t, "-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-c:v", "libx264", "-preset", "ultrafast",
		"-f", "flv", "rtmp://"+addr+"/live/wrong")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("ffmpeg does not know that it was refused")
	}
	if !strings.Contains(string(out), sentence) {
		t.Errorf("ffmpeg does not say why:\n%s", out)
	}
}
