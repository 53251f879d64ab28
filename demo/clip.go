package demo

import (
	_ "embed"
	"fmt"
	"slices"
	"time"

	"github.com/yapingcat/gomedia/go-codec"
	"github.com/yapingcat/gomedia/go-flv"
)

//go:embed clip.flv
var clipFLV []byte

// The clip's frame durations. Pictures are 1/30 s and AAC frames 1,024 samples at 48 kHz apart; FLV's
// milliseconds are too coarse to be looped.
const (
	pictureRate = 30
	soundRate   = 48000
	soundLen    = 1024
)

// frame is one picture (Annex B) or one AAC frame (ADTS) of the clip.
type frame struct {
	codec codec.CodecID
	// at is when it is due, from the clip's beginning.
	at   time.Duration
	data []byte
}

// clip is a show that can be repeated without a seam.
type clip struct {
	frames []frame // in the order of at
	length time.Duration
}

// loadClip reads an FLV file and checks that it can be looped: it begins with a keyframe, and pictures and
// sound end at the same moment.
func loadClip(file []byte) (*clip, error) {
	c := new(clip)
	var pictures, sounds int
	reader := flv.CreateFlvReader()
	reader.OnFrame = func(id codec.CodecID, data []byte, _, _ uint32) {
		f := frame{codec: id, data: slices.Clone(data)}
		switch id {
		case codec.CODECID_VIDEO_H264:
			f.at = time.Duration(pictures) * time.Second / pictureRate
			pictures++
		case codec.CODECID_AUDIO_AAC:
			f.at = time.Duration(sounds) * soundLen * time.Second / soundRate
			sounds++
		default:
			return
		}
		c.frames = append(c.frames, f)
	}
	if err := reader.Input(slices.Clone(file)); err != nil { // the reader converts in place
		return nil, err
	}
	if pictures == 0 || pictures*soundRate != sounds*soundLen*pictureRate {
		return nil, fmt.Errorf("%d pictures and %d AAC frames do not make a loop", pictures, sounds)
	}
	slices.SortStableFunc(c.frames, func(a, b frame) int { return int(a.at - b.at) })
	c.length = time.Duration(pictures) * time.Second / pictureRate
	if first := c.frames[0]; first.codec != codec.CODECID_VIDEO_H264 || !codec.IsH264IDRFrame(first.data) {
		return nil, fmt.Errorf("the first frame is no keyframe")
	}
	return c, nil
}

// at returns frame i of the endless show, and when it is due from the show's beginning.
func (c *clip) at(i int) (frame, time.Duration) {
	f := c.frames[i%len(c.frames)]
	return f, f.at + time.Duration(i/len(c.frames))*c.length
}
