package transcode

import (
	"strings"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest/record"
)

// TestEncoders transcodes with each encoder that works without a GPU. Those for GPUs need one; what they are told
// is in TestArguments.
func TestEncoders(t *testing.T) {
	record.FFmpeg(t)
	c := pictures(t, "320x180", 30, 90, "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "45", "-sc_threshold", "0")
	for _, name := range []string{"libx264", "libx265", "libaom-av1"} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, ladder(Rung{ShortSide: 128, BitRate: 150_000, Encoder: name}))
			ho := h.publishForLadder(t, "a", c, 1)
			r := watch(t, <-h.shows, all(1, 100))["128p"]
			r.compare(t, ho, 3000)
			if f := r.format(t); f.Width != 228 || f.Height != 128 {
				t.Errorf("the rung is %dx%d", f.Width, f.Height)
			}
			if e, _ := encoderByName(name); r.track.Codec != e.codec {
				t.Errorf("the rung is %s", r.track.Codec)
			}
		})
	}
}

// TestSources transcodes from each codec that a host may send, upright.
func TestSources(t *testing.T) {
	record.FFmpeg(t)
	for name, args := range map[media.Codec][]string{
		media.CodecHEVC: {"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=45:min-keyint=45:scenecut=0:open-gop=0:bframes=2:log-level=error", "-tag:v", "hvc1"},
		media.CodecAV1:  {"-c:v", "libsvtav1", "-preset", "12", "-g", "45", "-svtav1-params", "pred-struct=1"},
	} {
		t.Run(string(name), func(t *testing.T) {
			c := pictures(t, "180x320", 30, 90, args...)
			h := newHouse(t, ladder(Rung{ShortSide: 120, BitRate: 150_000}))
			ho := h.publishForLadder(t, "a", c, 1)
			r := watch(t, <-h.shows, all(1, 100))["120p"]
			r.compare(t, ho, 3000)
			if f := r.format(t); f.Width != 120 || f.Height != 214 {
				t.Errorf("the rung is %dx%d", f.Width, f.Height)
			}
		})
	}
}

func TestArguments(t *testing.T) {
	cfg := ladder().WithDefaults()
	cfg.Device = "/dev/dri/renderD128"
	r := Rung{ShortSide: 720, BitRate: 2_500_000, Encoder: "h264_vaapi", Options: []string{"-profile:v", "main"}}.withDefaults()
	got := strings.Join(arguments(cfg, []target{{Rung: r, id: 1, width: 1280, height: 720}, {Rung: r, id: 2, width: 640, height: 360}}), " ")
	for _, want := range []string{
		"-copyts -vaapi_device /dev/dri/renderD128 -analyzeduration",
		"-vf scale=1280:720,setsar=1,format=nv12,hwupload",
		"-c:v h264_vaapi -bf 0", "-b:v 2500000", "-profile:v main",
		"pipe:3 -map 0:v:0", " pipe:4",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if strings.Count(got, "-vaapi_device") != 1 {
		t.Errorf("the device is not opened once: %s", got)
	}
}
