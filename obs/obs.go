// Package obs tells OBS Studio which renditions of a show to encode: what its "multitrack video" (on Twitch:
// Enhanced Broadcasting) asks a service for before it goes live, so that all rungs of a ladder come in one
// publish and the server has to transcode nothing.
//
// OBS posts what it is and can (schema 2024-06-04 up to OBS 31.0, 2025-01-25 from 31.1 on; the two differ in
// where the canvas stands) and gets a list of encoders back. It asks the services that it knows by itself. For
// a server of one's own, which OBS calls custom, 30.2 to 32.1 ask if they are started with --config-url URL;
// all have a field to paste the same answer into, "Config Override (JSON)", for which those before 32.1 have
// to be started with --enable-multitrack-video-dev. The forms are those that OBS reads
// (frontend/utility/models/multitrack-video.hpp): what it demands is always there, and it skips what it does
// not know.
//
// To add an encoder, add it to the table in encoder.go.
package obs

import (
	"cmp"
	"math"
	"slices"
)

// Rung is one rendition of a ladder.
type Rung struct {
	ShortSide int     // the picture's height, or the width of a portrait
	BitRate   int     // bits a second
	FrameRate float64 // at most; zero: the canvas's
	Codec     string  // "h264" (also if empty), "hevc" or "av1"
}

// DefaultRungs are for shows without a ladder.
var DefaultRungs = []Rung{{ShortSide: 720, BitRate: 2_500_000}, {ShortSide: 480, BitRate: 1_200_000}, {ShortSide: 360, BitRate: 700_000}}

// Canvas is the picture that OBS composes.
type Canvas struct {
	Width, Height int
	FPSNum        int // pictures in FPSDen seconds
	FPSDen        int
}

// Bounds of what is believed of a canvas and asked of an encoder.
const (
	minSide, maxSide = 64, 8192
	maxFPS           = 240
	// maxTracks is MAX_OUTPUT_VIDEO_ENCODERS of libobs.
	maxTracks = 10
	minRate   = 100_000
	maxRate   = 50_000_000
	// keyframes come every two seconds, in all renditions at once.
	keyframeInterval = 2
	audioRate        = 160_000
)

// usual is the canvas of somebody who has not said which.
var usual = Canvas{Width: 1920, Height: 1080, FPSNum: 30, FPSDen: 1}

// valid reports whether the canvas makes sense.
func (c Canvas) valid() bool {
	return c.Width >= minSide && c.Height >= minSide && c.Width <= maxSide && c.Height <= maxSide &&
		c.FPSNum > 0 && c.FPSDen > 0 && c.FPSNum <= math.MaxInt32 && c.FPSDen <= math.MaxInt32 &&
		c.fps() <= maxFPS && c.fps() >= 1
}

func (c Canvas) fps() float64 { return float64(c.FPSNum) / float64(c.FPSDen) }

// rendition is a rung as it is made of one canvas.
type rendition struct {
	width, height int
	rate          int // bits a second
	codec         string
	divisor       int // every how manieth picture
}

// renditions returns what is to be encoded, largest first. The first is the canvas itself, by the rung of its
// size, or else at a rate that goes with those of the others. most bounds the sum of the rates, tracks the
// number of renditions; zero: no bound.
func renditions(rungs []Rung, c Canvas, most, tracks int) []rendition {
	rungs = slices.Clone(rungs)
	slices.SortStableFunc(rungs, func(a, b Rung) int {
		return cmp.Or(cmp.Compare(b.ShortSide, a.ShortSide), cmp.Compare(b.BitRate, a.BitRate))
	})
	short := min(c.Width, c.Height)
	for i, r := range rungs {
		if r.Codec == "" {
			rungs[i].Codec = "h264"
		}
	}
	rungs = slices.DeleteFunc(rungs, func(r Rung) bool { return r.ShortSide > short || r.ShortSide < minSide })
	if len(rungs) == 0 || rungs[0].ShortSide < short {
		rungs = slices.Insert(rungs, 0, top(rungs, short))
	}
	tracks = min(cmp.Or(tracks, maxTracks), maxTracks)
	for len(rungs) > tracks && len(rungs) > 1 {
		rungs = slices.Delete(rungs, 1, 2) // the largest and the smallest matter most
	}
	list := make([]rendition, len(rungs))
	for i, r := range rungs {
		list[i] = r.of(c)
	}
	for most > 0 && len(list) > 1 && sum(list) > most {
		list = list[1:] // a host's uplink comes before the size of the picture
	}
	if most > 0 {
		list[0].rate = max(min(list[0].rate, most), minRate)
	}
	return list
}

// top is the rung of the canvas's own size: smaller pictures need more bits each.
func top(smaller []Rung, short int) Rung {
	r := Rung{ShortSide: 720, BitRate: 2_500_000, Codec: "h264"}
	if len(smaller) > 0 {
		r = smaller[0]
	}
	const growth = 1.5 // of the rate, with the length of a side: 2.8 times as much for four times the pixels
	r.BitRate = int(float64(r.BitRate) * math.Pow(float64(short)/float64(r.ShortSide), growth))
	r.ShortSide, r.FrameRate = short, 0
	return r
}

func sum(list []rendition) (n int) {
	for _, r := range list {
		n += r.rate
	}
	return n
}

// of fits the rung to a canvas.
func (r Rung) of(c Canvas) rendition {
	short, long := min(c.Width, c.Height), max(c.Width, c.Height)
	n := rendition{rate: min(max(r.BitRate, minRate), maxRate), codec: r.Codec, divisor: 1}
	n.height = even(float64(r.ShortSide))
	n.width = even(float64(r.ShortSide) * float64(long) / float64(short))
	if c.Width < c.Height {
		n.width, n.height = n.height, n.width
	}
	if r.FrameRate > 0 {
		const tolerance = 1.05 // 29.97 passes for 30
		n.divisor = max(1, int(math.Ceil(c.fps()/(r.FrameRate*tolerance))))
	}
	return n
}

// even rounds to an even number of pixels, which 4:2:0 wants.
func even(v float64) int { return 2 * max(1, int(math.Round(v/2))) }
