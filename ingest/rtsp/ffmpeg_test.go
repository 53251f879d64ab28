package rtsp

import (
	"strings"
	"testing"
	"time"

	"pushcart/ingest"
	"pushcart/media"
)

var (
	picture = []string{"-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25"}
	sound   = []string{"-f", "lavfi", "-i", "sine=sample_rate=48000"}
)

// TestFFmpegPublishes has ffmpeg publish what it can, by TCP and UDP: everything comes, with exact times.
func TestFFmpegPublishes(t *testing.T) {
	for _, tt := range []struct {
		name, transport string
		args            []string
		video, audio    media.Codec
		reordered       bool
	}{
		{"H.264 and AAC, TCP", "tcp", []string{"-c:v", "libx264", "-bf", "2", "-c:a", "aac"}, media.CodecH264, media.CodecAAC, true},
		{"H.264 and Opus, UDP", "udp", []string{"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-c:a", "libopus"}, media.CodecH264, media.CodecOpus, false},
		{"HEVC and LATM, TCP", "tcp", []string{"-c:v", "libx265", "-x265-params", "log-level=error", "-c:a", "aac", "-rtpflags", "latm"}, media.CodecHEVC, media.CodecAAC, true},
		{"HEVC and AAC, UDP", "udp", []string{"-c:v", "libx265", "-x265-params", "log-level=error", "-c:a", "aac"}, media.CodecHEVC, media.CodecAAC, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			desk := newFakeDesk()
			addr := start(t, &Server{Opener: desk})
			args := append(append(append([]string{}, picture...), sound...), tt.args...)
			args = append(args, "-preset", "ultrafast", "-g", "25", "-t", "4", "-f", "rtsp", "-rtsp_transport", tt.transport, "rtsp://"+addr+"/live/secret?a=b")
			out, err := ffmpeg(t, args...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			show := desk.Next(t)
			if r := show.Request; r.App != "live" || r.Key != "secret" || r.Query != "a=b" || r.Protocol != "rtsp" || !strings.HasPrefix(r.Agent, "Lavf") {
				t.Errorf("request is %+v", r)
			}
			if why := show.Ended(t); why != nil {
				t.Errorf("the publish ended with %v, not with a goodbye", why)
			}
			if !show.Promised || !show.Video || !show.Audio {
				t.Error("the description's promise was not passed on")
			}
			if v, a := show.track(t, 1), show.track(t, 2); v.Codec != tt.video || a.Codec != tt.audio {
				t.Errorf("tracks are %+v and %+v", v, a)
			}
			if tt.transport == "udp" && show.counts[countLost] > 0 {
				// The kernel of a busy machine has dropped some: then as in any bad network.
				units, keys := show.of(1), 0
				for i, au := range units {
					if err := media.ValidUnit(show.track(t, 1), au.Data); err != nil || i > 0 && au.DTS <= units[i-1].DTS {
						t.Errorf("picture %d: %v, DTS %d", i, err, au.DTS)
					}
					if au.RandomAccess {
						keys++
					}
				}
				if keys == 0 || len(units)+int(show.counts[countDropped]) > 100 {
					t.Errorf("%d pictures, %d keyframes, counts %v", len(units), keys, show.counts)
				}
				return
			}
			pictures, sounds := 100, 185
			if tt.transport == "udp" {
				// The goodbye, by TCP, may overtake the last packets.
				pictures, sounds = min(max(len(show.of(1)), 85), 100), 150
			}
			checkVideo(t, show, pictures, 4, 3600, tt.reordered)
			a := show.of(2)
			if len(a) < sounds {
				t.Errorf("got %d audio units for 4 s", len(a))
			}
			// By UDP, the first packets may be lost without a trace; the last unit may be shorter.
			n := len(a) / 2
			first := media.Duration(a[n].PTS-int64(n)*(a[n].PTS-a[n-1].PTS), show.track(t, 2).Timescale)
			if v := media.Duration(show.of(1)[0].PTS, 90000); tt.transport == "tcp" && (first-v).Abs() > 40*time.Millisecond {
				t.Errorf("sound begins at %v, picture at %v; %d units of sound, the first at %v, and from there on at", first, v, len(a), media.Duration(a[0].PTS, show.track(t, 2).Timescale))
				for i := range a {
					if i > 0 && a[i].PTS-a[i-1].PTS != a[1].PTS-a[0].PTS {
						t.Logf("unit %d: %d behind the one before", i, a[i].PTS-a[i-1].PTS)
					}
				}
			}
			if len(show.counts) > 0 || len(show.remarks) > 0 {
				t.Errorf("counts %v, remarks %q", show.counts, show.remarks)
			}
		})
	}
}

// checkVideo checks that a track has n pictures, with keyframes, that DTS and PTS are steps of frame, and that
// every picture is whole.
func checkVideo(t *testing.T, show *fakeShow, n, keys int, frame int64, reordered bool) {
	t.Helper()
	units, track := show.of(1), show.track(t, 1)
	got, moved := 0, false
	shown := make(map[int64]bool)
	for i, au := range units {
		if err := media.ValidUnit(track, au.Data); err != nil {
			t.Fatal(err)
		}
		if au.RandomAccess {
			got++
		}
		if au.RandomAccess != media.RandomAccess(track, au.Data) {
			t.Errorf("picture %d: random access %v", i, au.RandomAccess)
		}
		if i > 0 && au.DTS-units[i-1].DTS != frame {
			t.Errorf("picture %d: DTS goes from %d to %d", i, units[i-1].DTS, au.DTS)
		}
		if au.PTS < au.DTS || (au.PTS-au.DTS)%frame != 0 || shown[au.PTS] {
			t.Errorf("picture %d: DTS %d, PTS %d", i, au.DTS, au.PTS)
		}
		shown[au.PTS] = true
		moved = moved || au.PTS != au.DTS
	}
	if len(units) != n || got != keys || moved != reordered {
		t.Errorf("got %d pictures, %d keyframes, reordered %v; want %d, %d, %v", len(units), got, moved, n, keys, reordered)
	}
}

// TestFFmpegIsRefused has ffmpeg say why.
func TestFFmpegIsRefused(t *testing.T) {
	const sentence = "The stream key is not known here: copy it again from your dashboard."
	desk := newFakeDesk()
	desk.Refuse = func(ingest.Request) error { return &ingest.Refusal{Reason: sentence} }
	addr := start(t, &Server{Opener: desk})
	for _, url := range []string{"rtsp://" + addr + "/live/wrong", "rtsp://user:pass@" + addr + "/live/wrong"} {
		cmd := ffmpeg(t, append(append([]string{}, picture...), "-c:v", "libx264", "-preset", "ultrafast", "-t", "5", "-f", "rtsp", url)...)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Error("ffmpeg does not know that it was refused")
		}
		if !strings.Contains(string(out), sentence) {
			t.Errorf("ffmpeg does not say why:\n%s", out)
		}
	}
}

// TestFFmpegPassword has the key in the place of the password; ffmpeg sends a digest of it.
func TestFFmpegPassword(t *testing.T) {
	desk := newFakeDesk()
	desk.Refuse = func(r ingest.Request) error {
		if r.Key != "the-key" {
			return &ingest.Refusal{Reason: "No."}
		}
		return nil
	}
	addr := start(t, &Server{Opener: desk, Keys: func(user string) []string { return map[string][]string{"shop": {"another", "the-key"}}[user] }})
	cmd := ffmpeg(t, append(append([]string{}, picture...), "-c:v", "libx264", "-preset", "ultrafast", "-t", "1", "-f", "rtsp", "-rtsp_transport", "tcp", "rtsp://shop:the-key@"+addr+"/live")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if show := desk.Next(t); show.Request.Key != "the-key" {
		t.Errorf("the key is %q", show.Request.Key)
	}
}
