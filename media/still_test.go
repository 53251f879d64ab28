package media_test

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest/record"
)

// shown is a picture of a stream under test: when it is shown, and what it looks like once decoded.
type shown struct {
	at   float64 // in the order of the stream's own pictures; those of Still are in between
	hash string
}

// stillClip is a recorded stream, and what each of its pictures looks like.
type stillClip struct {
	track media.Track
	units []media.AccessUnit
	looks []string // of the unit with the same index
	// repeats is, for each unit, which one has to be repeated after it. Nil: the one shown last.
	repeats []int
	// full says after which units the window can't slide for one more reference picture. Nil: it always can.
	full []bool
}

// recordStill encodes a clip with x264.
func recordStill(t testing.TB, source string, options ...string) stillClip {
	t.Helper()
	args := append([]string{"-f", "lavfi", "-i", source, "-c:v", "libx264"}, options...)
	c := stillClip{}
	c.track, c.units = record.Track(t, record.MP4(t, args...))
	c.look(t)
	return c
}

// look decodes the clip as it is.
func (c *stillClip) look(t testing.TB) {
	t.Helper()
	var all []media.AccessUnit
	all = append(all, c.units...)
	hashes := decode264(t, c.track, data(all))
	if len(hashes) != len(all) {
		t.Fatalf("%d of %d pictures decoded", len(hashes), len(all))
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(all[a].PTS, all[b].PTS) })
	c.looks = make([]string, len(all))
	for i, unit := range order {
		c.looks[unit] = hashes[i]
	}
}

func data(units []media.AccessUnit) [][]byte {
	var d [][]byte
	for _, u := range units {
		d = append(d, u.Data)
	}
	return d
}

// decode264 returns what ffmpeg makes of the units, a hash for each picture, in the order in which they are shown. Whatever
// the decoder does not like is an error.
func decode264(t testing.TB, track media.Track, units [][]byte) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "in.h264")
	if err := os.WriteFile(file, annexB(t, track, units), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "warning", "-nostdin", "-threads", "1", "-err_detect", "explode", "-xerror",
		"-f", "h264", "-i", file, "-fps_mode", "passthrough", "-f", "framemd5", "-")
	var says bytes.Buffer
	cmd.Stderr = &says
	out, err := cmd.Output()
	for line := range strings.Lines(says.String()) {
		if !strings.Contains(line, "Timestamps are unset") { // of any stream without a container
			err = cmp.Or(err, fmt.Errorf("it says something"))
		}
	}
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, says.String())
	}
	var hashes []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			hashes = append(hashes, strings.TrimSpace(line[strings.LastIndexByte(line, ',')+1:]))
		}
	}
	return hashes
}

// annexB is the stream as files without a container have it.
func annexB(t testing.TB, track media.Track, units [][]byte) []byte {
	t.Helper()
	var b []byte
	for _, nal := range configSets(t, track) {
		b = append(append(b, 0, 0, 0, 1), nal...)
	}
	for _, u := range units {
		if err := media.ValidUnit(track, u); err != nil {
			t.Fatal(err)
		}
		for nal := range media.NALUnits(media.NALLengthSize(track), u) {
			b = append(append(b, 0, 0, 0, 1), nal...)
		}
	}
	return b
}

// stillShow is a stream in the making: the units, and what has to be seen.
type stillShow struct {
	still   media.Still
	units   [][]byte
	want    []shown
	highest shown
	repeats string // what has to be repeated
	full    bool
	start   float64
}

// add puts a picture of the clip into the show.
func (s *stillShow) add(c stillClip, i int) {
	u := c.units[i]
	if u.RandomAccess {
		s.start += 1e9
		s.highest = shown{}
	}
	s.still.See(u.Data, u.RandomAccess)
	s.units = append(s.units, u.Data)
	p := shown{s.start + float64(u.PTS-c.units[0].PTS), c.looks[i]}
	s.want = append(s.want, p)
	if p.at > s.highest.at {
		s.highest = p
	}
	s.repeats = s.highest.hash
	if c.repeats != nil {
		s.repeats, s.full = c.looks[c.repeats[i]], c.full[i]
	}
}

// repeat puts one of Still's into the show.
func (s *stillShow) repeat(lost bool) bool {
	unit := s.still.Next(lost)
	if unit == nil {
		return false
	}
	s.units = append(s.units, unit)
	s.highest = shown{s.highest.at + 1e-3, s.repeats}
	s.want = append(s.want, s.highest)
	return true
}

// check decodes the show and compares all of it.
func (s *stillShow) check(t testing.TB, track media.Track) {
	t.Helper()
	slices.SortStableFunc(s.want, func(a, b shown) int { return cmp.Compare(a.at, b.at) })
	got := decode264(t, track, s.units)
	if len(got) != len(s.want) {
		t.Errorf("%d pictures decoded, want %d", len(got), len(s.want))
	}
	for i := range min(len(got), len(s.want)) {
		if got[i] != s.want[i].hash {
			t.Fatalf("picture %d of %d, for %.3f, looks different", i, len(got), s.want[i].at)
		}
	}
}

// gops returns where the clip's keyframes are, and its end.
func (c stillClip) gops() []int {
	var at []int
	for i, u := range c.units {
		if u.RandomAccess {
			at = append(at, i)
		}
	}
	return append(at, len(c.units))
}

// lost checks holes up to the next keyframe: from each picture of the clip's first GOP on, n pictures of Still, and then
// the whole next GOP.
func (c stillClip) lost(t testing.TB, n int) {
	t.Helper()
	gops := c.gops()
	if len(gops) < 3 {
		t.Fatal("the clip needs two GOPs")
	}
	var s stillShow
	s.still.Config(c.track.Config)
	for hole := 1; hole <= gops[1]; hole++ {
		for i := range hole {
			s.add(c, i)
		}
		if hole%2 == 0 {
			s.repeat(false) // nobody knew yet
		}
		for range n {
			if s.repeat(true) == s.full {
				t.Fatalf("after picture %d, where the window can slide: %v", hole, !s.full)
			}
		}
		for i := gops[1]; i < gops[2]; i++ {
			s.add(c, i)
		}
	}
	s.check(t, c.track)
}

// between checks pictures in a running GOP: one of Still wherever it gives one. It returns for how many pictures of the clip
// it did.
func (c stillClip) between(t testing.TB) int {
	t.Helper()
	var s stillShow
	s.still.Config(c.track.Config)
	n := 0
	for i := range c.units {
		s.add(c, i)
		if s.repeat(false) {
			n++
			if s.repeat(false) {
				t.Fatalf("two after picture %d", i)
			}
		}
	}
	s.check(t, c.track)
	return n
}

const stillSource = "testsrc2=s=98x66:r=25:d=1.6"

// TestStillX264 fills holes in what x264 makes, with its options in all combinations.
func TestStillX264(t *testing.T) {
	for _, coder := range []string{"cabac=1", "cabac=0"} {
		for _, bframes := range []string{"bframes=0", "bframes=2:b-pyramid=none:b-adapt=0", "bframes=3:b-pyramid=normal:b-adapt=0"} {
			for _, refs := range []string{"ref=1", "ref=4"} {
				for _, rest := range []string{"weightp=0:8x8dct=0", "weightp=2:8x8dct=1:slices=3"} {
					options := strings.Join([]string{"keyint=20:min-keyint=20:scenecut=0", coder, bframes, refs, rest}, ":")
					t.Run(options, func(t *testing.T) {
						t.Parallel()
						// Fades make x264 use weights.
						c := recordStill(t, stillSource+",fade=in:0:15", "-crf", "30", "-pix_fmt", "yuv420p", "-x264-params", options)
						c.lost(t, 3)
						if n := c.between(t); n < 8 {
							t.Errorf("%d pictures between others", n)
						}
					})
				}
			}
		}
	}
}

// TestStillFormats fills holes in other kinds of pictures: formats of samples, lossless, sizes from one macroblock up, many
// pictures in a row.
func TestStillFormats(t *testing.T) {
	const small = "98x66:r=25:d=0.5"
	for _, c := range []struct {
		source, format, options string
		n                       int
	}{
		{small, "yuv422p", "cabac=1", 2},
		{small, "yuv444p", "cabac=0", 2},
		{small, "yuv444p", "qp=0", 2},
		{small, "gray", "cabac=1:weightp=2", 2},
		{small, "yuv420p10", "cabac=1", 2},
		{small, "yuv422p10", "cabac=0", 2},
		{small, "yuv420p", "cabac=1:no-deblock=1", 2},
		{small, "yuv420p", "cabac=0:bframes=3:aud=1:nal-hrd=vbr:vbv-maxrate=500:vbv-bufsize=500", 2},
		{small, "yuv420p", "cabac=1:bframes=16:b-pyramid=strict:ref=16:b-adapt=0", 2},
		{small, "yuv420p", "cabac=1:bframes=0", 300},
		{small, "yuv420p", "cabac=0:bframes=2", 300},
		{"16x16:r=25:d=0.5", "yuv420p", "cabac=1", 2},
		{"16x48:r=25:d=0.5", "yuv420p", "cabac=1", 2},
		{"320x180:r=25:d=0.5", "yuv420p", "cabac=1", 2},
		{"1920x1080:r=25:d=0.2", "yuv420p", "cabac=1:keyint=2:min-keyint=1", 2},
		{"1280x720:r=25:d=0.2", "yuv420p", "cabac=0:keyint=2:min-keyint=1", 2},
	} {
		t.Run(strings.ReplaceAll(c.source+" "+c.format+" "+c.options, "/", ""), func(t *testing.T) {
			t.Parallel()
			options := "keyint=6:min-keyint=6:scenecut=0:" + c.options
			clip := recordStill(t, "testsrc2=s="+c.source, "-pix_fmt", c.format, "-x264-params", options)
			clip.lost(t, c.n)
		})
	}
}

// In a stream without keyframes to begin anew at, pictures still fit between others.
func TestStillOpenGOP(t *testing.T) {
	for _, options := range []string{"open-gop=1:keyint=10:bframes=2:b-adapt=0", "intra-refresh=1:keyint=10:bframes=0"} {
		c := recordStill(t, stillSource, "-pix_fmt", "yuv420p", "-x264-params", options)
		if n := c.between(t); n < 8 {
			t.Errorf("%s: %d pictures between others", options, n)
		}
	}
}

// Interlaced pictures are not followed.
func TestStillDeclines(t *testing.T) {
	c := recordStill(t, "testsrc2=s=96x64:r=25:d=0.5", "-pix_fmt", "yuv420p", "-x264-params", "keyint=6:tff=1")
	var s media.Still
	s.Config(c.track.Config)
	for _, u := range c.units {
		s.See(u.Data, u.RandomAccess)
		if s.Next(true) != nil || s.Next(false) != nil {
			t.Fatal("a progressive picture among interlaced ones")
		}
	}
}
