package show

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// annexB turns pictures into a byte stream that ffmpeg reads.
func annexB(s *Show) []byte {
	var out []byte
	start := []byte{0, 0, 0, 1}
	out = append(append(out, start...), sps(&s.Config)...)
	out = append(append(out, start...), pps()...)
	for _, p := range s.Pictures {
		for b := p.Data; len(b) > 0; {
			n := binary.BigEndian.Uint32(b)
			out = append(append(out, start...), b[4:4+n]...)
			b = b[4+n:]
		}
	}
	return out
}

// adts puts n sound frames into ADTS.
func adts(s *Show, n int) []byte {
	var out []byte
	for range n {
		size := len(s.Sound) + 7
		out = append(out, 0xff, 0xf1, 0x4c, byte(0x80|size>>11), byte(size>>3), byte(size<<5|0x1f), 0xfc)
		out = append(out, s.Sound...)
	}
	return out
}

// ffmpeg runs it over data and returns what it wrote; an error of a decoder fails the test.
func ffmpeg(t *testing.T, data []byte, args ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "IN", name)
	}
	cmd := exec.Command("ffmpeg", append([]string{"-v", "error", "-nostdin", "-err_detect", "explode"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("ffmpeg: %v\n%s", err, &stderr)
	}
	return stdout.String()
}

// TestPicturesDecode has a real decoder read every picture, and looks at the samples that come out.
func TestPicturesDecode(t *testing.T) {
	for _, c := range []Config{
		{Loop: 4 * time.Second},
		{Width: 720, Height: 1280, FrameRate: 25, GOP: 300, VideoBits: 800_000, Loop: 12 * time.Second},
		{Width: 1920, Height: 1080, FrameRate: 60, GOP: 7, VideoBits: 12_000_000, Loop: time.Second},
		{Width: 66, Height: 66, FrameRate: 1, GOP: 1, VideoBits: 1, Loop: 2 * time.Second},
	} {
		s, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		hashes := ffmpeg(t, annexB(s), "-f", "h264", "-i", "IN", "-f", "framemd5", "-")
		seen := map[string]bool{}
		for line := range strings.Lines(hashes) {
			if f := strings.Split(line, ","); len(f) == 6 && line[0] != '#' {
				seen[strings.TrimSpace(f[5])] = true
			}
		}
		if len(seen) != len(s.Pictures) {
			t.Errorf("%dx%d: %d different pictures decoded, want %d", s.Width, s.Height, len(seen), len(s.Pictures))
		}
		size := strconv.Itoa(s.Width) + "x" + strconv.Itoa(s.Height)
		if !strings.Contains(hashes, size) {
			t.Errorf("decoded size is not %s", size)
		}
	}
}

// TestSoundDecodes has a real decoder read the sound, which must be silent and the right length.
func TestSoundDecodes(t *testing.T) {
	for _, rate := range []int{1, 64_000, 128_000, 320_000} {
		s, err := New(Config{Width: 64, Height: 64, AudioBits: rate})
		if err != nil {
			t.Fatal(err)
		}
		pcm := ffmpeg(t, adts(s, 50), "-f", "aac", "-i", "IN", "-f", "s16le", "-")
		if want := 50 * FrameSamples * 4; len(pcm) != want {
			t.Errorf("%d b/s: %d bytes decoded, want %d", rate, len(pcm), want)
		}
		if strings.Trim(pcm, "\x00") != "" {
			t.Errorf("%d b/s: not silent", rate)
		}
		if want := rate * FrameSamples / SampleRate / 8; rate > 1 && abs(len(s.Sound)-want) > 3 {
			t.Errorf("%d b/s: frame of %d bytes, want about %d", rate, len(s.Sound), want)
		}
	}
}

// TestRateAndMarks checks the bit rate, where keyframes are, and that every mark is found again.
func TestRateAndMarks(t *testing.T) {
	s, err := New(Config{Loop: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for i, p := range s.Pictures {
		total += len(p.Data)
		if p.Key != (i%60 == 0) {
			t.Errorf("picture %d: key %v", i, p.Key)
		}
		if got, ok := FindLast(p.Data); !ok || got != i {
			t.Errorf("picture %d: mark says %d, %v", i, got, ok)
		}
	}
	seconds := s.PictureTime(len(s.Pictures)).Seconds()
	if rate := float64(total) * 8 / seconds; math.Abs(rate/float64(s.VideoBits)-1) > 0.01 {
		t.Errorf("bit rate %.0f, want %d", rate, s.VideoBits)
	}
	if _, ok := FindLast([]byte(markMagic)); ok {
		t.Error("half a mark was taken for one")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []Config{{Width: 63}, {Height: 5000}, {FrameRate: -1}, {GOP: -5}, {VideoBits: -1}, {Loop: time.Hour}, {Width: 65}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

func abs(n int) int { return max(n, -n) }
