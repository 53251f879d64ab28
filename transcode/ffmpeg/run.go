package ffmpeg

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"pushcart/stream"
	"pushcart/transcode/nut"
)

// Order is what a Run has to do.
type Order struct {
	Program string
	Args    []string
	Nice    int
	// Ins describe what goes in: one NUT file, at the standard input.
	Ins []nut.Stream
	// Outs is the number of NUT files that come out, at pipes from FirstPipe on.
	Outs int
	// Queue bounds what may wait in front of the process.
	Queue Bounds
	// Collector is given what comes out.
	Collector Collector
	// Judge is asked every WatchEvery how it goes, from one goroutine. It returns the rest of a sentence that begins with
	// what is made, and says why the process is to be given up; or "".
	Judge func(now time.Time, v Vitals) string
}

// Collector takes what a process makes, and writes it to the show. Its methods are called from several goroutines, but
// those about one output from one.
type Collector interface {
	// Describe is called once for each output, before its first packet.
	Describe(out int, s nut.Stream) error
	// Put takes a packet. An error of it or of Describe ends the run: it is what is wrong with what ffmpeg makes, or
	// stream.ErrClosed, if the show or its epoch is over and nothing is wrong.
	Put(out int, f nut.Frame) error
	// Vitals says how it goes, as far as the collector knows.
	Vitals() Vitals
	// Leave takes what is made out of the show. Nothing is written to that from here on.
	Leave(why error)
}

// Vitals is what can be seen of a run from outside.
type Vitals struct {
	Joined    time.Time     // when what it makes joined the show; zero before it did
	LastOut   time.Time     // when the last packet came; zero if none has
	Lag       time.Duration // how far the slowest output is behind what has gone in, in media time
	Overflows int           // times that the queue has been full
}

// Failure is why a run is to end although the show goes on.
type Failure struct {
	Why   string        // the rest of a sentence that begins with what is made
	Words string        // the last that ffmpeg has said
	Stood time.Duration // how long what it made was in the show
}

// Error returns the end of the sentence.
func (f *Failure) Error() string { return f.Why }

// Run is one process's life: it is fed from a queue, what it makes goes to a collector, and somebody looks after it.
type Run struct {
	order Order
	child *Process
	queue *queue
	fail  func(error)
	work  sync.WaitGroup
	done  chan struct{} // closed when Stop is called
}

// Begin starts a process; if it can't, the error is a *Failure. fail is called with a *Failure when the run has to end, from
// another goroutine and perhaps more than once; it is the caller who calls Stop, then or at any other time.
func Begin(o Order, fail func(error)) (*Run, error) {
	c, err := Start(o.Program, o.Args, o.Outs, o.Nice)
	if err != nil {
		return nil, &Failure{Why: fmt.Sprintf("can't start ffmpeg: %v", err)}
	}
	r := &Run{order: o, child: c, queue: newQueue(o.Queue), fail: fail, done: make(chan struct{})}
	r.work.Go(r.write)
	for out := range o.Outs {
		r.work.Go(func() { r.read(out) })
	}
	r.work.Go(r.watch)
	return r, nil
}

// Push puts a piece into the queue. It does not wait, and reports whether the piece has been taken.
func (r *Run) Push(p Piece) bool { return r.queue.push(p) }

// PID is the process's number.
func (r *Run) PID() int { return r.child.PID() }

// Stop ends the process and takes what it makes out of the show, for a reason that may be nil. It returns when nothing of
// the run is left.
func (r *Run) Stop(why error) {
	close(r.done)
	r.order.Collector.Leave(why)
	r.queue.close()
	r.child.Stop()
	r.work.Wait()
}

// give ends the run with a failure.
func (r *Run) give(why string) {
	f := &Failure{Why: why, Words: r.child.Words()}
	if joined := r.order.Collector.Vitals().Joined; !joined.IsZero() {
		f.Stood = time.Since(joined)
	}
	r.fail(f)
}

// write feeds the process. It ends when there is no more, or nobody to take it: why, the watch finds out.
func (r *Run) write() {
	w, err := nut.NewWriter(r.child.In, r.order.Ins)
	for err == nil {
		p, ok := r.queue.take()
		if !ok {
			return
		}
		err = w.WriteFrame(nut.Frame{Stream: p.In, PTS: p.Unit.PTS, Key: p.Unit.RandomAccess, Data: p.Unit.Data})
		if errors.Is(err, nut.ErrLimit) {
			err = nil // ffmpeg goes without a unit of that size
		}
	}
}

// read takes what the process makes of one output.
func (r *Run) read(out int) {
	err := r.collect(out)
	switch {
	case errors.Is(err, stream.ErrClosed):
		return // those who follow the show find out
	case !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed):
		r.give(fmt.Sprintf("has had to stop ffmpeg: %v", err))
		return
	}
	// The end of the file is that of the process, whose last words say more.
	select {
	case <-r.child.Done:
	case <-r.done:
	case <-time.After(Silence):
		r.give("has lost what ffmpeg makes: it has closed a pipe, and does not end")
	}
}

func (r *Run) collect(out int) error {
	in, err := nut.NewReader(r.child.Outs[out])
	if err != nil {
		return err
	}
	if err := r.order.Collector.Describe(out, in.Streams()[0]); err != nil {
		return err
	}
	for {
		f, err := in.Read()
		if err != nil {
			return err
		}
		if err := r.order.Collector.Put(out, f); err != nil {
			return err
		}
	}
}

// watch looks after the process until it has ended or the run has.
func (r *Run) watch() {
	tick := time.NewTicker(WatchEvery)
	defer tick.Stop()
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
		v := r.order.Collector.Vitals()
		v.Overflows = r.queue.overflows()
		if !v.Joined.IsZero() && !settled {
			settled = true
			r.queue.settle()
		}
		if why := r.order.Judge(time.Now(), v); why != "" {
			r.give(why)
			return
		}
	}
}
