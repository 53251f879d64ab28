package transcode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"pushcart/media"
	"pushcart/stream"
	"pushcart/transcode/ffmpeg"
	"pushcart/transcode/nut"
)

// role is the transcoder's among the contributors of a show. No key is good for it (auth).
const role = "ladder"

// errRestore ends a run so that a dropped rung can be tried again.
var errRestore = errors.New("a rung is tried again")

// failure is why a run has ended although the show goes on.
type failure struct {
	why   string        // the rest of a sentence that begins with "the ladder"
	words string        // the last that ffmpeg has said
	stood time.Duration // how long the rungs were in the show
}

// Error returns the sentence.
func (f *failure) Error() string { return "the ladder " + f.why }

// run is one ffmpeg process's life.
type run struct {
	child   *ffmpeg.Process
	feed    *feed
	col     *collector
	restore time.Duration // see policy.restoreAfter
	fail    context.CancelCauseFunc
	work    sync.WaitGroup
	done    chan struct{} // closed when stop is called
}

// newRun starts ffmpeg for a source and its targets. fail is called with a *failure or errRestore when the run has to
// end, from another goroutine; it is the caller who calls stop, then or at any other time.
func newRun(sh *show, src media.Track, f media.Format, targets []target, fail context.CancelCauseFunc) (*run, error) {
	cfg := sh.t.cfg
	c, err := ffmpeg.Start(cfg.FFmpeg, arguments(cfg, targets), len(targets), cfg.Nice)
	if err != nil {
		return nil, &failure{why: fmt.Sprintf("can't start ffmpeg: %v", err)}
	}
	r := &run{child: c, feed: newFeed(), restore: sh.policy.restoreAfter(), fail: fail, done: make(chan struct{})}
	r.col = newCollector(targets, sh.join)
	r.work.Go(func() { r.write(src, f) })
	for i, t := range targets {
		r.work.Go(func() { r.read(i, t) })
	}
	r.work.Go(r.watch)
	return r, nil
}

// join makes the ladder a contributor of the show, with these tracks.
func (sh *show) join(tracks []media.Track) (*stream.Publisher, error) {
	pub, err := sh.t.hub.Join(sh.s.Name(), stream.Contribution{Role: role, Derived: true},
		stream.Source{Protocol: "ffmpeg", Remote: "this server", Agent: "ffmpeg " + sh.t.have.Version})
	if err != nil {
		return nil, err
	}
	if pub.Stream() != sh.s {
		pub.Close(nil)
		return nil, stream.ErrClosed
	}
	return pub, pub.Begin(tracks)
}

// push hands on a picture of the source. It does not wait.
func (r *run) push(au media.AccessUnit) {
	r.col.source(au)
	if !r.feed.push(au) {
		r.col.forget(au.PTS)
	}
}

// stop ends the process and takes its rungs out of the show. It returns when nothing of the run is left.
func (r *run) stop(why error) {
	close(r.done)
	r.col.leave(why)
	r.feed.close()
	r.child.Stop()
	r.work.Wait()
}

// give ends the run with a failure.
func (r *run) give(why string) {
	f := &failure{why: why, words: r.child.Words()}
	if joined := r.col.vitals().joined; !joined.IsZero() {
		f.stood = time.Since(joined)
	}
	r.fail(f)
}

// write feeds ffmpeg. It ends when there is no more, or nobody to take it: why, the watch finds out.
func (r *run) write(src media.Track, f media.Format) {
	tags := map[media.Codec]string{media.CodecH264: "H264", media.CodecHEVC: "HEVC", media.CodecAV1: "AV01"}
	w, err := nut.NewWriter(r.child.In, []nut.Stream{{
		Tag: tags[src.Codec], Timescale: src.Timescale, Extradata: src.Config,
		Width: f.CodedWidth, Height: f.CodedHeight, FrameRate: cmp.Or(src.FrameRate, f.FrameRate),
	}})
	for err == nil {
		au, ok := r.feed.take()
		if !ok {
			return
		}
		err = w.WriteFrame(nut.Frame{PTS: au.PTS, Key: au.RandomAccess, Data: au.Data})
		if errors.Is(err, nut.ErrLimit) {
			err = nil // ffmpeg goes without a picture of that size
		}
	}
}

// read takes what ffmpeg makes of one rung.
func (r *run) read(i int, t target) {
	err := r.readRung(i, t)
	if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
		r.give(fmt.Sprintf("has had to stop ffmpeg: %v", err))
		return
	}
	// The end of the file is that of the process, whose last words say more.
	select {
	case <-r.child.Done:
	case <-r.done:
	case <-time.After(silence):
		r.give(fmt.Sprintf("has lost its %s: ffmpeg has closed the pipe", t.Label()))
	}
}

func (r *run) readRung(i int, t target) error {
	in, err := nut.NewReader(r.child.Outs[i])
	if err != nil {
		return err
	}
	e, _ := encoderByName(t.Encoder)
	u := newUnpacker(e.codec, in.Streams()[0])
	for {
		f, err := in.Read()
		if err != nil {
			return err
		}
		au, err := u.unit(f)
		if err != nil {
			return fmt.Errorf("%s (%s): %w", t.Label(), t.Encoder, err)
		}
		if err := r.col.put(i, u.track, au); err != nil {
			return err
		}
	}
}

// watch looks after the process until it has ended or the run has.
func (r *run) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	dog := watchdog{started: time.Now()}
	settled := false
	for {
		select {
		case <-r.done:
			return
		case <-r.child.Done:
			r.give("has lost ffmpeg: " + r.child.End())
			return
		case <-tick.C:
		}
		v := r.col.vitals()
		v.overflows = r.feed.overflows()
		if !v.joined.IsZero() && !settled {
			settled = true
			r.feed.settle()
		}
		if why := dog.check(time.Now(), v); why != "" {
			r.give(why)
			return
		}
		if r.restore > 0 && settled && time.Since(v.joined) > r.restore {
			r.fail(errRestore)
			return
		}
	}
}
