package transcode

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"pushcart/media"
)

// target is a rung as it is made of one source.
type target struct {
	Rung
	id            int // the rung's place in the configuration, from 1: its track's ID
	width, height int
	decimate      bool // the source has, or may have, more pictures a second than the rung
}

const (
	// sameSize is the share of the source's bit rate up to which a rung of the source's size is worth
	// its CPU, and smaller the one that a smaller picture may have at most.
	sameSize, smaller = 0.75, 0.85
	// rateTolerance lets 30 pictures a second pass for 29.97.
	rateTolerance = 1.05
)

// Transfer characteristics of HDR (ISO/IEC 23091-2): PQ and HLG.
const transferPQ, transferHLG = 16, 18

// plan returns the rungs that can be made of a source, smallest first, or else a sentence that says why there
// are none. bitRate is the source's, zero if it is not known; sent are the short sides of what the host sends in
// smaller sizes itself.
func plan(rungs []Rung, t media.Track, f media.Format, bitRate float64, sent map[int]bool) ([]target, string) {
	if f.Color.Transfer == transferPQ || f.Color.Transfer == transferHLG {
		return nil, "the host sends HDR, which the ladder would make dull"
	}
	short, long := min(f.Width, f.Height), max(f.Width, f.Height)
	var targets []target
	spared := false
	for i, r := range rungs {
		if r.ShortSide < short && sent[r.ShortSide] {
			spared = true
			continue
		}
		if r.ShortSide > short || r.ShortSide == short && (bitRate == 0 || float64(r.BitRate) > sameSize*bitRate) {
			continue
		}
		if most := BitRate(smaller * bitRate); bitRate > 0 && r.BitRate > most {
			r.BitRate = max(most, minBitRate)
		}
		g := target{Rung: r, id: i + 1}
		g.width, g.height = r.ShortSide, even(float64(r.ShortSide)*float64(long)/float64(short))
		if f.Width > f.Height {
			g.width, g.height = g.height, g.width
		}
		rate := cmp.Or(t.FrameRate, f.FrameRate)
		g.decimate = r.FrameRate > 0 && (rate == 0 || rate > r.FrameRate*rateTolerance)
		targets = append(targets, g)
	}
	slices.SortStableFunc(targets, func(a, b target) int {
		return cmp.Or(cmp.Compare(a.ShortSide, b.ShortSide), cmp.Compare(a.BitRate, b.BitRate))
	})
	if len(targets) == 0 && spared {
		return nil, "the host sends its rungs itself"
	}
	if len(targets) == 0 {
		return nil, fmt.Sprintf("all of its rungs are larger than the host's %dx%d", f.Width, f.Height)
	}
	return targets, ""
}

// even rounds to an even number of pixels, which 4:2:0 wants.
func even(v float64) int { return 2 * max(1, int(math.Round(v/2))) }
