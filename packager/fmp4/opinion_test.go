package fmp4_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"
	mcfmp4 "github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"pushcart/media"
	"pushcart/media/mediatest/record"
	"pushcart/packager/fmp4"
)

// mp4ff decodes what we write, and encodes the same bytes again. Its view of the boxes is the golden text.
func TestMP4FF(t *testing.T) {
	forEachClip(t, func(t *testing.T, name string, track media.Track, units []media.AccessUnit) {
		track.BitRate, track.Language = 2_500_000, "pt-BR"
		file := initFor(t, track)
		for _, f := range fragments(track, units, 15)[:2] {
			f.PRFT = &fmp4.ProducerTime{NTP: 0xE000000012345678, MediaTime: f.BaseTime, Flags: 24}
			if f.Video {
				f.Events = []fmp4.Event{{
					Timescale: uint32(track.Timescale), PresentationTime: f.BaseTime, Duration: fmp4.UnknownDuration,
					ID: 7, Scheme: fmp4.SchemeID3, Value: "urn:example",
					Data: fmp4.AppendID3TXXX(nil, "com.example.overlay", `{"v":1}`),
				}}
			}
			file = f.Append(file)
		}
		// Box by box: as a whole file, mp4ff loses the prft.
		var again, info bytes.Buffer
		for r, at := bytes.NewReader(file), uint64(0); r.Len() > 0; {
			box, err := mp4.DecodeBox(at, r)
			if err != nil {
				t.Fatal(err)
			}
			if err := box.Encode(&again); err != nil {
				t.Fatal(err)
			}
			if err := box.Info(&info, "all:1", "", "  "); err != nil {
				t.Fatal(err)
			}
			at += box.Size()
		}
		if !bytes.Equal(again.Bytes(), file) {
			t.Error("mp4ff encodes other bytes than we do")
		}
		golden(t, name+".boxes", info.String())
	})
}

// mediacommon finds the same samples. It does not look at first_sample_flags, so that its word on the
// first sample of a part does not count.
func TestMediacommon(t *testing.T) {
	forEachClip(t, func(t *testing.T, name string, track media.Track, units []media.AccessUnit) {
		var init mcfmp4.Init
		if err := init.Unmarshal(bytes.NewReader(initFor(t, track))); err != nil {
			t.Fatal(err)
		}
		if len(init.Tracks) != 1 || int64(init.Tracks[0].TimeScale) != track.Timescale {
			t.Fatalf("init %+v", init)
		}
		var file []byte
		for _, f := range fragments(track, units, 10) {
			file = f.Append(file)
		}
		var parts mcfmp4.Parts
		if err := parts.Unmarshal(file); err != nil {
			t.Fatal(err)
		}
		i := 0
		for _, part := range parts {
			at := int64(part.Tracks[0].BaseTime)
			for j, s := range part.Tracks[0].Samples {
				au := units[i]
				if at != au.DTS || at+int64(s.PTSOffset) != au.PTS || !bytes.Equal(s.Payload, au.Data) ||
					j > 0 && s.IsNonSyncSample == au.RandomAccess {
					t.Fatalf("sample %d: DTS %d, PTS %d, want %d, %d", i, at, at+int64(s.PTSOffset), au.DTS, au.PTS)
				}
				at += int64(s.Duration)
				i++
			}
		}
		if i != len(units) {
			t.Errorf("%d samples, want %d", i, len(units))
		}
	})
}

// ffmpeg decodes each frame, with the right time, and starts at any part that begins with a keyframe.
func TestFFmpeg(t *testing.T) {
	record.FFmpeg(t)
	forEachClip(t, func(t *testing.T, name string, track media.Track, units []media.AccessUnit) {
		parts := fragments(track, units, 5)
		for first := range parts {
			if !parts[first].Samples[0].Sync {
				continue
			}
			file := initFor(t, track)
			for _, f := range parts[first:] {
				file = f.Append(file)
			}
			path := filepath.Join(t.TempDir(), "show.mp4")
			if err := os.WriteFile(path, file, 0o644); err != nil {
				t.Fatal(err)
			}
			run(t, "ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "null", "-")
			got := strings.Fields(run(t, "ffprobe", "-v", "error", "-show_entries", "packet=dts,pts",
				"-of", "csv=p=0", path))
			checkTimes(t, got, units[first*5:])
			if track.Kind() != media.KindVideo && first > 3 {
				break
			}
		}
	})
}

// checkTimes compares ffprobe's lines of pts,dts with units.
func checkTimes(t *testing.T, got []string, units []media.AccessUnit) {
	t.Helper()
	if len(got) != len(units) {
		t.Fatalf("ffprobe sees %d packets, want %d", len(got), len(units))
	}
	for i, au := range units {
		if want := fmt.Sprintf("%d,%d", au.PTS, au.DTS); strings.TrimSuffix(got[i], ",") != want {
			t.Fatalf("packet %d: ffprobe sees pts,dts %s, want %s", i, got[i], want)
		}
	}
}

// run runs a command that must succeed and say nothing on standard error, and returns what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var out, msg bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &msg
	if err := cmd.Run(); err != nil || msg.Len() > 0 {
		t.Fatalf("%s %q: %v\n%s", name, args, err, msg.Bytes())
	}
	return out.String()
}
