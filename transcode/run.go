package transcode

import (
	"cmp"
	"context"
	"errors"
	"time"

	"pushcart/media"
	"pushcart/transcode/contribute"
	"pushcart/transcode/ffmpeg"
	"pushcart/transcode/nut"
)

// role is the transcoder's among the contributors of a show. No key is good for it (auth).
const role = "ladder"

// errRestore ends a run so that a dropped rung can be tried again.
var errRestore = errors.New("a rung is tried again")

// queueBounds are those in front of ffmpeg: viewers of the rungs may be behind by as much.
var queueBounds = ffmpeg.Bounds{Bytes: 24 << 20, Time: 2 * time.Second}

// run makes the rungs of one source, as long as its process lives.
type run struct {
	*ffmpeg.Run
	col *collector
}

// newRun starts ffmpeg for a source. fail is called with a *ffmpeg.Failure or errRestore when the run has to end, from
// another goroutine; it is the caller who calls Stop, then or at any other time.
func newRun(sh *show, src source, fail context.CancelCauseFunc) (*run, error) {
	cfg := sh.t.cfg
	col := newCollector(src.targets, sh.place(src.epoch).Join)
	dog := watchdog{started: time.Now()}
	restore := sh.policy.restoreAfter()
	r, err := ffmpeg.Begin(ffmpeg.Order{
		Program: cfg.FFmpeg, Args: arguments(cfg, src.targets), Nice: cfg.Nice,
		Ins: []nut.Stream{src.stream()}, Outs: len(src.targets),
		Queue: queueBounds, Collector: col,
		Judge: func(now time.Time, v ffmpeg.Vitals) string {
			why := dog.check(now, v)
			if why == "" && restore > 0 && !v.Joined.IsZero() && now.Sub(v.Joined) > restore {
				fail(errRestore)
			}
			return why
		},
	}, fail)
	if err != nil {
		return nil, err
	}
	return &run{r, col}, nil
}

// place is the ladder's among the contributors of the show, in an epoch.
func (sh *show) place(epoch int) contribute.Place {
	return contribute.Place{Hub: sh.t.hub, Show: sh.s, Role: role, Epoch: epoch, Agent: "ffmpeg " + sh.t.have.Version}
}

// push hands on a picture of the source. It does not wait.
func (r *run) push(au media.AccessUnit) {
	r.col.source(au)
	if !r.Push(ffmpeg.Piece{At: media.Duration(au.DTS, videoTimescale), Unit: au}) {
		r.col.forget(au.PTS)
	}
}

// stream describes the source to ffmpeg.
func (s source) stream() nut.Stream {
	tags := map[media.Codec]string{media.CodecH264: "H264", media.CodecHEVC: "HEVC", media.CodecAV1: "AV01"}
	return nut.Stream{
		Tag: tags[s.track.Codec], Timescale: s.track.Timescale, Extradata: s.track.Config,
		Width: s.format.CodedWidth, Height: s.format.CodedHeight, FrameRate: cmp.Or(s.track.FrameRate, s.format.FrameRate),
	}
}
