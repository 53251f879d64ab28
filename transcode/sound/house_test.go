package sound

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// house is a hub with a studio, as cmd/pushcart joins them.
type house struct {
	hub    *stream.Hub
	studio *Studio
	shows  chan *stream.Stream
}

func newHouse(t *testing.T, opt Options) *house {
	t.Helper()
	if opt.FFmpeg == "" {
		opt.FFmpeg = "ffmpeg"
		if other := os.Getenv("FFMPEG"); other != "" {
			opt.FFmpeg = other // to try another one
		}
	}
	opt.Nice = 1
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	h := &house{shows: make(chan *stream.Stream, 8)}
	h.hub = stream.NewHub(stream.Config{}, log, func(s *stream.Stream) {
		h.studio.Show(s)
		h.shows <- s
	})
	h.studio = New(opt, h.hub, log)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := h.studio.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		h.hub.Close()
		cancel()
		<-done
	})
	return h
}

// picture is a host's video track; its first unit, the keyframe with which readers begin, is a second into the show.
var picture = mediatest.Video{ID: 9, Start: 90_000}

// host begins a show with a picture and these tracks.
func (h *house) host(t *testing.T, name string, tracks ...media.Track) (*stream.Publisher, *stream.Stream) {
	t.Helper()
	p, err := h.hub.Publish(name, stream.Source{Protocol: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Begin(append([]media.Track{picture.Track()}, tracks...)); err != nil {
		t.Fatal(err)
	}
	if err := p.Write(picture.Unit(0)); err != nil {
		t.Fatal(err)
	}
	return p, p.Stream()
}

// signal is sound: its value at a time in seconds since the show began.
type signal func(seconds float64) float64

// clicks is silence with a pulse of 2 ms at each of these times.
func clicks(times ...float64) signal {
	return func(s float64) float64 {
		for _, at := range times {
			if s >= at-1e-9 && s < at+0.002 {
				return 0.8
			}
		}
		return 0
	}
}

// tone is a sine of some amplitude between two times.
func tone(hz, amplitude, from, to float64) signal {
	return func(s float64) float64 {
		if s < from || s >= to {
			return 0
		}
		return amplitude * math.Sin(2*math.Pi*hz*s)
	}
}

// pcm is sound without loss: its units are 20 ms long.
type pcm struct {
	track media.Track
	sig   signal
}

func newPCM(codec media.Codec, rate int64, sig signal) pcm {
	return pcm{media.Track{ID: 1, Codec: codec, Timescale: rate, Config: []byte{1}, Internal: true}, sig}
}

// units returns those from one time to another, in seconds since the show began.
func (p pcm) units(from, to float64) []media.AccessUnit {
	n := p.track.Timescale / 50
	var list []media.AccessUnit
	for at := int64(from * float64(p.track.Timescale)); at < int64(to*float64(p.track.Timescale)); at += n {
		au := media.AccessUnit{Track: p.track.ID, DTS: at, PTS: at, RandomAccess: true}
		for i := range n {
			v := p.sig(float64(at+i) / float64(p.track.Timescale))
			switch sample := int16(math.Round(v * 32767)); p.track.Codec {
			case media.CodecPCMA:
				au.Data = append(au.Data, aLaw(sample))
			case media.CodecL16:
				au.Data = binary.BigEndian.AppendUint16(au.Data, uint16(sample))
			}
		}
		list = append(list, au)
	}
	return list
}

// aLaw is ITU-T G.711 table 1a, for a sample of 16 bits.
func aLaw(v int16) byte {
	mask, m := byte(0xD5), int(v)
	if v < 0 {
		mask, m = 0x55, -int(v)-1
	}
	m >>= 3
	segment := 0
	for m>>(segment+5) > 0 {
		segment++
	}
	low := m >> 1
	if segment > 1 {
		low = m >> segment
	}
	return (byte(segment)<<4 | byte(low)&15) ^ mask
}

func write(t *testing.T, p *stream.Publisher, units []media.AccessUnit) {
	t.Helper()
	for _, au := range units {
		if err := p.Write(au); err != nil {
			t.Fatal(err)
		}
	}
}

// heard is what has come of one track that the studio has made.
type heard struct {
	track media.Track
	units []media.AccessUnit
}

// end is when the newest unit ends, in seconds.
func (h *heard) end() float64 {
	if h == nil || len(h.units) == 0 {
		return 0
	}
	return float64(h.units[len(h.units)-1].DTS+frameSamples) / float64(h.track.Timescale)
}

// listen follows the show until enough says so of the contributed tracks that are not internal and are there, by language
// and group, and of the last event. On a machine with too much to do, a process may be given up and another makes all of it
// again.
func listen(t *testing.T, s *stream.Stream, enough func(map[string]*heard, stream.Event) bool) map[string]*heard {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	r := s.NewReader()
	defer r.Close()
	tracks, byID := make(map[string]*heard), make(map[int]*heard)
	for {
		events, err := r.Next(ctx)
		if errors.Is(err, stream.ErrLagged) {
			continue
		}
		if err != nil {
			text := ""
			for key, x := range tracks {
				text += fmt.Sprintf("%q: %d units; ", key, len(x.units))
			}
			t.Fatalf("after %s: %v", text, err)
		}
		for _, ev := range events {
			for _, tr := range ev.Tracks {
				if !tr.Contributed || tr.Internal {
					continue
				}
				key := strings.TrimSpace(tr.Language + " " + tr.Group)
				if ev.Kind == stream.EventLeft {
					delete(tracks, key)
					continue
				}
				if tracks[key] == nil {
					tracks[key] = new(heard)
				}
				tracks[key].track = tr
				byID[tr.ID] = tracks[key]
			}
			if x := byID[ev.Unit.Track]; ev.Kind == stream.EventUnit && x != nil {
				x.units = append(x.units, ev.Unit)
			}
			if enough(tracks, ev) {
				return tracks
			}
		}
	}
}

// until wants each of these tracks to have come to a time in the show.
func until(seconds float64, keys ...string) func(map[string]*heard, stream.Event) bool {
	return func(tracks map[string]*heard, _ stream.Event) bool {
		for _, k := range keys {
			if tracks[k].end() < seconds {
				return false
			}
		}
		return true
	}
}

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

// status waits until the job of a role is as it should be.
func (h *house) status(t *testing.T, name, role string, as func(Status) bool) Status {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		list := h.studio.Status(name)
		for _, st := range list {
			if st.Role == role && as(st) {
				return st
			}
		}
		if time.Now().After(end) {
			t.Fatalf("status: %+v", list)
		}
	}
}
