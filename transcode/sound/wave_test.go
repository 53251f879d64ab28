package sound

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os/exec"
	"testing"

	"pushcart/media"
)

// wave decodes what has been heard, and returns its samples, those of the first channel, and the time of the first.
// The units are wrapped in ADTS, which knows no times: each counts for its 1024 samples.
func (h *heard) wave(t *testing.T) (samples []float64, start float64) {
	t.Helper()
	f, err := media.ParseConfig(h.track)
	if err != nil {
		t.Fatal(err)
	}
	index := map[int]int{48000: 3, 44100: 4}[f.SampleRate]
	var file bytes.Buffer
	for i, au := range h.units {
		if i > 0 && au.DTS != h.units[i-1].DTS+frameSamples {
			t.Fatalf("unit %d is at %d, behind one at %d", i, au.DTS, h.units[i-1].DTS)
		}
		n := len(au.Data) + 7
		file.Write([]byte{0xFF, 0xF1, 1<<6 | byte(index)<<2 | byte(f.Channels>>2), byte(f.Channels&3)<<6 | byte(n>>11), byte(n >> 3), byte(n&7)<<5 | 0x1F, 0xFC})
		file.Write(au.Data)
	}
	cmd := exec.Command("ffmpeg", "-v", "error", "-f", "aac", "-i", "-", "-map_channel", "0.0.0", "-f", "f32le", "-")
	cmd.Stdin = &file
	cmd.Stderr = t.Output()
	raw, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := len(h.units) * frameSamples; len(raw) != 4*want {
		t.Fatalf("%d samples of %d units", len(raw)/4, len(h.units))
	}
	samples = make([]float64, 0, len(raw)/4)
	for in := bytes.NewReader(raw); ; {
		var v float32
		if err := binary.Read(in, binary.LittleEndian, &v); errors.Is(err, io.EOF) {
			return samples, float64(h.units[0].DTS) / float64(h.track.Timescale)
		}
		samples = append(samples, float64(v))
	}
}

// within is how exactly a click has to be where it was, in seconds.
const within = 0.002

// clicksAt wants clicks at these times, and nothing as loud between them.
func (h *heard) clicksAt(t *testing.T, times ...float64) {
	t.Helper()
	samples, start := h.wave(t)
	rate := float64(h.track.Timescale)
	var got []float64
	last := -1.0
	for i, v := range samples {
		at := start + float64(i)/rate
		if math.Abs(v) > 0.3 && (last < 0 || at-last > 0.05) {
			got = append(got, at)
		}
		if math.Abs(v) > 0.3 {
			last = at
		}
	}
	if len(got) != len(times) {
		t.Fatalf("clicks at %.4f, want them at %.4f", got, times)
	}
	for i := range got {
		if d := got[i] - times[i]; math.Abs(d) > within {
			t.Errorf("the click of %.4f s comes %.1f ms late", times[i], d*1000)
		} else {
			t.Logf("the click of %.4f s: %+.3f ms", times[i], d*1000)
		}
	}
}

// level is the root mean square of what is heard between two times at a frequency, in dB of a full sine.
func (h *heard) level(t *testing.T, hz, from, to float64) float64 {
	t.Helper()
	samples, start := h.wave(t)
	rate := float64(h.track.Timescale)
	var re, im float64
	n := 0
	for i, v := range samples {
		if at := start + float64(i)/rate; at >= from && at < to {
			re += v * math.Cos(2*math.Pi*hz*at)
			im += v * math.Sin(2*math.Pi*hz*at)
			n++
		}
	}
	return 20 * math.Log10(2*math.Hypot(re, im)/float64(n))
}
