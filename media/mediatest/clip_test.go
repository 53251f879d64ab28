package mediatest_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/media/mediatest/record"
)

var update = flag.Bool("update", false, "record the clips anew, with ffmpeg")

const (
	clipVideo = "-f lavfi -i testsrc=s=160x96:r=30:d=1 -an -pix_fmt yuv420p -g 15 "
	clipAudio = "-f lavfi -i sine=440:r=48000:d=1 -vn "
)

// recipes says how each clip is made.
var recipes = map[string]string{
	"h264":  clipVideo + "-c:v libx264 -preset medium -crf 40 -bf 0 -sc_threshold 0",
	"h264b": clipVideo + "-c:v libx264 -preset medium -crf 40 -bf 2 -sc_threshold 0 -flags +cgop",
	"hevc":  clipVideo + "-c:v libx265 -preset medium -crf 40 -x265-params log-level=error:open-gop=0:keyint=15:scenecut=0:info=0 -tag:v hvc1",
	"av1":   clipVideo + "-c:v libaom-av1 -cpu-used 8 -crf 50 -b:v 0 -lag-in-frames 0 -row-mt 0",
	"aac":   clipAudio + "-ac 2 -c:a aac -b:a 48k",
	"opus":  clipAudio + "-ac 2 -c:a libopus -b:a 24k",
}

func TestRecordClips(t *testing.T) {
	if !*update {
		t.Skip("only with -update")
	}
	for name, args := range recipes {
		track, units := record.Track(t, record.MP4(t, strings.Fields(args)...))
		b, err := json.MarshalIndent(map[string]any{"Made": args, "Track": track, "Units": units}, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("clips", name+".json"), append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestClips(t *testing.T) {
	if got, want := len(mediatest.Clips()), len(recipes); got != want {
		t.Errorf("%d clips, want %d", got, want)
	}
	for _, name := range mediatest.Clips() {
		t.Run(name, func(t *testing.T) {
			track, units := mediatest.Clip(name)
			f, err := media.ParseConfig(track)
			if err != nil {
				t.Fatal(err)
			}
			if track.Kind() == media.KindVideo && (f.Width != 160 || f.Height != 96) {
				t.Errorf("size %dx%d, want 160x96", f.Width, f.Height)
			}
			checkUnits(t, track, units)
			if track.Kind() == media.KindVideo && (!units[15].RandomAccess || len(units) != 30) {
				t.Errorf("%d units, the 15th a keyframe: %t; want 30 and true", len(units), units[15].RandomAccess)
			}
		})
	}
}
