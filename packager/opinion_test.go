package packager

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// loop repeats a recorded clip for so many seconds. Its first unit is presented at start.
func loop(clip string, id int, start time.Duration, seconds int) (media.Track, []media.AccessUnit) {
	t, units := mediatest.Clip(clip)
	t.ID = id
	first, n := units[0].PTS, len(units)
	length := media.Rescale(units[n-1].DTS-units[0].DTS, int64(n-1), int64(n)) // of equal units
	var all []media.AccessUnit
	for i := 0; ; i++ {
		au := units[i%n]
		d := int64(i/n)*length - first
		if media.Duration(au.DTS+d, t.Timescale) >= time.Duration(seconds)*time.Second {
			return t, all
		}
		d += media.Ticks(start, t.Timescale)
		au.Track, au.DTS, au.PTS = id, au.DTS+d, au.PTS+d
		all = append(all, au)
	}
}

// TestFFmpegDecodes has ffmpeg decode the segments of all renditions of a show in which rungs and a voice join,
// leave and return: each run of them, and each key picture alone.
func TestFFmpegDecodes(t *testing.T) {
	var s script
	h := &host{}
	for i, clip := range []string{"h264", "aac"} {
		track, units := loop(clip, 1+i, time.Second, 24)
		h.tracks, h.rows = append(h.tracks, track), append(h.rows, units)
	}
	s.host(h)
	for i, clip := range []string{"h264b", "hevc", "av1", "aac", "opus"} {
		track, units := loop(clip, 2001+32*i, time.Second, 24)
		track.Contributed = true
		lag := time.Duration(i) * 200 * time.Millisecond
		for _, from := range []time.Duration{3 * time.Second, 14 * time.Second} {
			to := from + 7*time.Second
			s.add(from, joined(track))
			for _, au := range units {
				if at := media.Duration(au.DTS, track.Timescale); at >= from && at < to {
					s.units(track, []media.AccessUnit{au}, lag)
				}
			}
			s.add(to+lag, left(track))
		}
	}
	s.add(time.Hour, stream.Event{Kind: stream.EventEnded})
	p := newShow(t, "low")
	in := inspect(t, p)
	s.play(t, p, in, nil)
	dir := t.TempDir()
	for _, r := range p.renditions {
		runs := 0
		var run []byte
		for _, x := range append(r.segments, &segment{gap: true}) {
			if x.gap {
				if len(run) > 0 {
					runs++
					decode(t, dir, fmt.Sprintf("%s-%d.mp4", r.name, runs), run)
				}
				run = nil
				continue
			}
			if run == nil {
				run = bytes.Clone(x.init.data)
			}
			for _, part := range x.parts {
				run = append(run, part.data...)
			}
		}
		if want := map[bool]int{true: 2, false: 1}[r.video() && !r.main]; runs != want {
			t.Errorf("%s has %d runs of segments, want %d: %s", r.name, runs, want, gaps(r, showBegins))
		}
		if !r.video() {
			continue
		}
		for _, x := range r.segments {
			if k := x.key(); k.Length > 0 {
				decode(t, dir, fmt.Sprintf("%s-key%d.mp4", r.name, x.msn), append(bytes.Clone(x.init.data), x.parts[0].data[k.Offset:]...))
				break
			}
		}
	}
}

func decode(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ffmpeg", "-v", "error", "-xerror", "-i", file, "-f", "null", "-").CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "" {
		t.Errorf("ffmpeg on %s (%d bytes): %v\n%s", name, len(data), err, out)
	}
}
