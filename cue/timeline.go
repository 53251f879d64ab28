package cue

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"pushcart/media"
)

// Timeline is the cues of one show's name, whether a show is on or not. Its methods are safe for concurrent
// use; a Timeline is valid as long as its Book.
//
// All writes return when what they have changed is safe on disk, is readable, and has been posted to the
// show if it is near enough. Their errors are *Error, or that of ctx, after which the write may or may not
// have been done: the same write again, with the same key or id, tells. key is the caller's idempotency key
// or empty: a second write of the same key returns what the first has done, for a day.
type Timeline struct {
	book *Book
	name string
	log  *slog.Logger
	// turn holds a token while no show is being followed: shows of one name follow one after the other.
	turn chan struct{}

	queueMu sync.Mutex
	queue   []*work // writes that wait for whoever comes first to do them all

	mu      sync.Mutex // guards what follows; held while the disk is waited for
	st      *state     // nil: not read from disk
	journal *journal   // nil: nothing is kept
	read    int64      // when the last record that was read was written, in milliseconds since 1970
	used    time.Time  // when somebody was last here
	live    *live      // the show that is on, nil if none is
	arms    map[string]*arm
	placed  map[string]chan struct{} // closed when a cue that waits for a keyframe is placed or given up
	writes  bucket
	facts   bucket
	host    bucket
	// complaints limits what the log says of the encoder's messages.
	complaints bucket

	board board // what viewers read
}

// work is a write on its way.
type work struct {
	do       func(*tx) error
	certain  bool // it tells what has happened: there is no refusing it
	err      error
	finished bool
}

// tx is a write that is being done. The records that it emits count all or not at all.
type tx struct {
	t     *Timeline
	s     *state
	group []*record
	undo  []func()
	after []func() // run once the records are kept
	wall  time.Time
	now   int64 // media time, if a show is on
	// trusted says that times are the host's own, right by definition.
	trusted bool
}

// maxQueue bounds the writes that wait.
const maxQueue = 1024

func newTimeline(b *Book, name string) *Timeline {
	t := &Timeline{
		book:   b,
		name:   name,
		log:    b.log.With(slog.String("stream", name)),
		turn:   make(chan struct{}, 1),
		arms:   make(map[string]*arm),
		placed: make(map[string]chan struct{}),
	}
	t.turn <- struct{}{}
	t.board.init(name)
	return t
}

// Name is the show's name.
func (t *Timeline) Name() string { return t.name }

// do runs a write, perhaps together with others that have come meanwhile: they share one wait for the disk.
func (t *Timeline) do(f func(*tx) error) error {
	if t.book.closed.Load() {
		return errClosing()
	}
	w := &work{do: f}
	t.queueMu.Lock()
	if len(t.queue) >= maxQueue {
		t.queueMu.Unlock()
		return tooMany(time.Second, "more than %d writes wait for this show: send it again in a second", maxQueue)
	}
	t.queue = append(t.queue, w)
	t.queueMu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !w.finished {
		t.run()
	}
	return w.err
}

func errClosing() error {
	return refuse(Unavailable, "the server is shutting down: send it again in a minute")
}

// certainly runs a write that tells what has happened.
func (t *Timeline) certainly(f func(*tx)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queueMu.Lock()
	t.queue = append(t.queue, &work{certain: true, do: func(x *tx) error { f(x); return nil }})
	t.queueMu.Unlock()
	t.run()
}

// run does all writes that wait. The caller holds the lock.
func (t *Timeline) run() {
	t.load()
	t.used = time.Now()
	t.queueMu.Lock()
	batch := t.queue
	t.queue = nil
	t.queueMu.Unlock()
	// What has happened comes first: the other writes build on it, and can be taken back without it.
	slices.SortStableFunc(batch, func(a, b *work) int {
		switch {
		case a.certain == b.certain:
			return 0
		case a.certain:
			return -1
		}
		return 1
	})
	var groups [][]*record
	var back []func()
	var after []func()
	certain := false
	if g := t.collect(); len(g) > 0 {
		groups, certain = append(groups, g), true
	}
	closed := t.book.closed.Load() // the journal is, or is about to be
	for _, w := range batch {
		x := t.newTx()
		w.finished = true
		if closed && !w.certain {
			w.err = errClosing()
			continue
		}
		if w.err = w.do(x); w.err != nil {
			takeBack(x.undo)
			continue
		}
		if len(x.group) > 0 {
			groups = append(groups, x.group)
		}
		if certain = certain || w.certain; !w.certain {
			back = append(back, x.undo...)
			after = append(after, x.after...)
		}
	}
	err := t.commit(groups)
	if err != nil {
		takeBack(back)
		if certain {
			t.journal.behind = true
		}
		for _, w := range batch {
			if w.err == nil && !w.certain {
				w.err = refuse(Unavailable, "the server can't write to its disk now (%v), so the cue was not taken: tell the operator, and send it again", err)
			}
		}
	} else {
		for _, f := range after {
			f()
		}
	}
	t.drive()
}

// takeBack undoes records, the last one first.
func takeBack(undo []func()) {
	for _, u := range slices.Backward(undo) {
		u()
	}
}

// commit keeps groups of records. The caller holds the lock.
func (t *Timeline) commit(groups [][]*record) error {
	if t.journal == nil || len(groups) == 0 {
		return nil
	}
	before := t.journal.written
	defer func() { t.book.counts.journalBytes.Add(t.journal.written - before) }()
	err := t.journal.commit(groups, func() [][]*record {
		var all [][]*record
		for _, rec := range t.st.dump(t.name, time.Now().UnixMilli()) {
			all = append(all, []*record{rec})
		}
		return all
	})
	if err != nil {
		t.book.counts.journalErrors.Add(1)
		t.log.Error("cues can't be kept", slog.String("file", t.journal.path), slog.Any("error", err))
	}
	return err
}

// load reads the journal, if that has not been done. The caller holds the lock.
func (t *Timeline) load() {
	if t.st != nil {
		return
	}
	t.st = newState()
	path := t.book.path(t.name)
	if path == "" {
		t.st.firstRev = t.book.firstRev
		return
	}
	j, bad, err := openJournal(path, func(rec *record) {
		t.st.apply(rec)
		t.read = max(t.read, rec.Wall)
	})
	switch {
	case err != nil:
		t.st = newState()
		t.st.firstRev = t.book.firstRev
		t.log.Error("the show's cues can't be read: they are kept in memory only", slog.String("file", path), slog.Any("error", err))
	case bad > 0:
		t.log.Error("the journal of the show's cues is damaged", slog.String("file", path), slog.Int("lines_lost", bad))
		fallthrough
	default:
		t.journal = j
	}
	t.board.facts(t.st.facts)
}

// newTx begins a write. The caller holds the lock.
func (t *Timeline) newTx() *tx {
	x := &tx{t: t, s: t.st, wall: time.Now()}
	if t.live != nil {
		x.now = t.live.now(x.wall)
	}
	return x
}

// emit makes rec so, as far as this write is concerned.
func (x *tx) emit(rec *record) {
	rec.Wall = x.wall.UnixMilli()
	x.group = append(x.group, rec)
	x.undo = append(x.undo, x.s.apply(rec))
}

// on reports whether there is a show whose now is known.
func (x *tx) on() bool { return x.t.live != nil }

// delay is what is added to "now", in ticks.
func (t *Timeline) delay() int64 {
	if d := t.st.delay; d != nil {
		return media.Ticks(*d, Timescale)
	}
	return media.Ticks(t.book.cfg.delay(t.name), Timescale)
}

// bucket limits a rate: so many a second, and so many at once.
type bucket struct {
	left float64
	at   time.Time
}

// take takes one out, or says how long to wait for it.
func (b *bucket) take(now time.Time, rate, burst float64) (wait time.Duration) {
	if b.at.IsZero() {
		b.left = burst
	}
	b.left = min(burst, b.left+rate*now.Sub(b.at).Seconds())
	if b.at = now; b.left < 1 {
		return time.Duration((1 - b.left) / rate * float64(time.Second))
	}
	b.left--
	return 0
}
