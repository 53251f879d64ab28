//go:build linux

package sound

import (
	"regexp"
	"strconv"
	"testing"

	"pushcart/media"
	"pushcart/transcode/nut"
	"pushcart/transcode/transcodetest"
)

// TestMain makes the test binary an ffmpeg where its name says so.
func TestMain(m *testing.M) { transcodetest.Main(m, beSilent) }

var (
	firstPTS = regexp.MustCompile(`first_pts=(\d+)`)
	outRate  = regexp.MustCompile(`aresample=(\d+)`)
)

// fakeOut is an output of the fake.
type fakeOut struct {
	w    *nut.Writer
	rate int64
	next int64
}

// beSilent makes silence of what comes in, as long as the first input goes on and as far as the kind of ffmpeg lets it.
func beSilent(f *transcodetest.FFmpeg) {
	var outs []*fakeOut
	for _, a := range f.Args {
		m := firstPTS.FindStringSubmatch(a)
		if m == nil {
			continue
		}
		next, _ := strconv.ParseInt(m[1], 10, 64)
		rate, _ := strconv.ParseInt(outRate.FindStringSubmatch(a)[1], 10, 64)
		w := f.Out(len(outs), nut.Stream{Audio: true, Tag: "\xff\x00", Timescale: rate, Extradata: fakeConfig, SampleRate: int(rate), Channels: 1})
		outs = append(outs, &fakeOut{w, rate, next - frameSamples})
	}
	silence := media.Silence(fakeTrack, media.Format{})
	for n := 0; ; n++ {
		p, ok := f.Next(50)
		if !ok {
			return
		}
		if p.Stream != 0 {
			continue
		}
		for _, o := range outs {
			for media.Duration(o.next+frameSamples, o.rate) <= f.At(p) {
				pts := o.next
				if f.Kind == "moves times" && n > 50 {
					pts++
				}
				if o.w.WriteFrame(nut.Frame{PTS: pts, Key: true, Data: silence}) != nil {
					return
				}
				o.next += frameSamples
			}
		}
	}
}

// fakeConfig is AAC-LC at 48 kHz, mono.
var (
	fakeConfig = []byte{0x11, 0x88}
	fakeTrack  = media.Track{Codec: media.CodecAAC, Timescale: 48000, Config: fakeConfig}
)
