package rtsp

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"pushcart/ingest"
)

// Puller fetches shows from cameras. Its fields are set before it runs.
type Puller struct {
	Streams []Stream
	// Fetch makes a session the publisher of a show. Its error is stream's.
	Fetch func(name, protocol, remote, agent string) (ingest.Publisher, error)
	// Taken reports whether a host publishes the show: nobody is pushed off by a camera.
	Taken func(name string) bool
	// Viewers returns how many are watching the show.
	Viewers func(name string) int
	// Failed is told of each try that has failed, and why, in words for viewers; it may be nil. It must not block.
	Failed func(name, why string)
	// Log is slog.Default() if nil.
	Log *slog.Logger

	once   sync.Once
	byName map[string]*pull
	list   []*pull
}

// PullStats is what is known of one stream.
type PullStats struct {
	Name  string
	Up    bool  // it is being fetched
	Tries int64 // connections that have been made, or tried
	// Trouble is what was wrong at the last try, in words for viewers; empty while the stream is fetched, and before
	// the first try.
	Trouble string
	Since   time.Time // when the first try failed of those that have failed since; zero without trouble
}

func (p *Puller) init() {
	p.once.Do(func() {
		if p.Log == nil {
			p.Log = slog.Default()
		}
		p.byName = make(map[string]*pull, len(p.Streams))
		for _, s := range p.Streams {
			pl := &pull{puller: p, stream: s, wanted: make(chan struct{}, 1)}
			pl.tryOnce = pl.try
			p.byName[s.Name] = pl
			p.list = append(p.list, pl)
		}
	})
}

// Run fetches until ctx ends. It returns nil when all its sessions are over.
func (p *Puller) Run(ctx context.Context) error {
	p.init()
	var pulls sync.WaitGroup
	for _, pl := range p.list {
		pulls.Go(func() { pl.run(ctx) })
	}
	pulls.Wait()
	return nil
}

// Want says that somebody wants to watch the show called name. It reports whether that is a show that is
// fetched on demand: it will come, if the camera is there. It does not block.
func (p *Puller) Want(name string) bool {
	p.init()
	pl, ok := p.byName[name]
	if !ok || !pl.stream.OnDemand {
		return false
	}
	pl.asked.Store(time.Now().UnixNano())
	select {
	case pl.wanted <- struct{}{}:
	default:
	}
	return true
}

// Stats returns what is known of each stream at present.
func (p *Puller) Stats() []PullStats {
	p.init()
	list := make([]PullStats, len(p.list))
	for i, pl := range p.list {
		list[i] = PullStats{Name: pl.stream.Name, Up: pl.up.Load(), Tries: pl.tries.Load()}
		if why := pl.trouble.Load(); why != nil {
			list[i].Trouble, list[i].Since = why.why, why.since
		}
	}
	return list
}

// outage is what is known of a camera that can't be fetched.
type outage struct {
	why   string
	since time.Time
}

// pull is one stream that is fetched, from one try to the next.
type pull struct {
	puller *Puller
	stream Stream

	tryOnce func(context.Context) error // try; tests have their own

	wanted chan struct{} // somebody has asked
	asked  atomic.Int64  // when, the last time
	up     atomic.Bool
	tries  atomic.Int64
	// trouble is what was wrong at the last try; nil while nothing is.
	trouble atomic.Pointer[outage]

	// Of the outage, while there is one.
	down   time.Time
	failed int    // tries
	told   string // the latest reason in the log
	toldAt time.Time
	useUDP bool // the camera does not do TCP (transport auto)
}

const (
	// firstPause and lastPause are how long is waited after a try that has failed: twice as long each time.
	firstPause, lastPause = 500 * time.Millisecond, 5 * time.Second
	// goodTry is how long a connection has to have lasted for the pauses to be short again.
	goodTry = 10 * time.Second
	// takenPause is how often is looked whether a host still publishes the show.
	takenPause = 2 * time.Second
	// lingering is how long a show that is fetched on demand goes on without a viewer.
	lingering = 30 * time.Second
	// reasonPause is how long an outage is not mentioned again, whatever its reasons are.
	reasonPause = 10 * time.Minute
)

// run fetches the stream for ever.
func (p *pull) run(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		if !p.due(ctx) {
			return
		}
		began := time.Now()
		p.tries.Add(1)
		err := p.tryOnce(ctx)
		p.up.Store(false)
		if err == nil || ctx.Err() != nil {
			pause = firstPause
			continue // nobody watches any more
		}
		if time.Since(began) >= goodTry {
			pause = firstPause
		}
		p.fail(err)
		if !sleep(ctx, pause/2+rand.N(pause)) {
			return
		}
		pause = min(2*pause, lastPause)
	}
}

// due waits until the stream is to be fetched: somebody wants it, and nobody publishes it. It returns false when
// ctx has ended.
func (p *pull) due(ctx context.Context) bool {
	for {
		if p.stream.OnDemand && time.Since(time.Unix(0, p.asked.Load())) > lingering {
			select {
			case <-ctx.Done():
				return false
			case <-p.wanted:
			}
		}
		if !p.puller.Taken(p.stream.Name) {
			return ctx.Err() == nil
		}
		if !sleep(ctx, takenPause) {
			return false
		}
	}
}

// unwatched reports whether a show that is fetched on demand can be let go.
func (p *pull) unwatched(now time.Time) bool {
	if !p.stream.OnDemand {
		return false
	}
	if p.puller.Viewers(p.stream.Name) > 0 {
		p.asked.Store(now.UnixNano())
	}
	return now.Sub(time.Unix(0, p.asked.Load())) > lingering
}

// sleep waits for d, and returns false when ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// fail tells of an outage when it begins, and from time to time of another reason for it; not of each try.
func (p *pull) fail(err error) {
	if errors.Is(err, errOurs) {
		return // the show's log has told
	}
	now := time.Now()
	if p.failed++; p.failed == 1 {
		p.down = now
	}
	public := p.stream.Source.scrub(oneLine(trouble(err)))
	p.trouble.Store(&outage{public, p.down})
	if p.puller.Failed != nil {
		p.puller.Failed(p.stream.Name, public)
	}
	why := p.stream.Source.scrub(oneLine(err.Error()))
	if p.failed == 1 || why != p.told && now.Sub(p.toldAt) >= reasonPause {
		p.told, p.toldAt = why, now
		p.puller.Log.Warn("the camera can't be fetched; it is tried again until it can", "stream", p.stream.Name, "source", p.stream.Source, "why", why)
	}
}

// succeed ends an outage.
func (p *pull) succeed() {
	p.up.Store(true)
	p.trouble.Store(nil)
	if p.failed > 0 {
		p.puller.Log.Info("the camera is fetched again", "stream", p.stream.Name, "source", p.stream.Source,
			"after", time.Since(p.down).Round(time.Second), "tries", p.failed)
	}
	p.failed, p.told = 0, ""
}
