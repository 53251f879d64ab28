package cue

import (
	"log/slog"
	"slices"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

// Driving a show: posting marks into its stream when they are due. Until then a cue can be changed without a
// trace.

const (
	// announce is how long before its start a cue is posted: enough for a page to fetch what it shows.
	announce = 8 * Timescale
	// settleTime is how long after its end a cue stays in the stream, for readers who begin late.
	settleTime = 20 * Timescale
	// restTime is how long the follower sleeps at most.
	restTime = time.Minute
	// together is how long what is due may wait for more: a run of show may have a thousand cues a second.
	together = Timescale / 10
	// untoldTime is how long before the last record of a server that has ended it may not have told of an end.
	untoldTime = time.Second
	// retryTime is when a post that has failed is tried again.
	retryTime = time.Second
)

// live is the show that a Timeline drives.
type live struct {
	stream *stream.Stream
	clock  clock
	posted map[string]Mark // without their content
	due    time.Time       // when the next thing has to be done
	wake   chan struct{}   // due has changed, or a keyframe has come
	full   bool            // the stream keeps as many as it can, as of this drive
	// untold is from when on, in a show that goes on after a restart, viewers may not have been told of ends: some
	// players still have those cues open.
	untold int64
}

func newLive(s *stream.Stream) *live {
	return &live{
		stream: s,
		clock:  clock{start: s.Start()},
		posted: make(map[string]Mark),
		wake:   make(chan struct{}, 1),
		untold: Open,
	}
}

// now is the media time of the moment.
func (l *live) now(at time.Time) int64 { return l.clock.ticks(l.stream.Shown(), at) }

// nudge wakes the follower.
func (l *live) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// arm is a cue that waits for a keyframe.
type arm struct {
	mark   Mark
	cancel func() bool
	tick   chan int64 // has the keyframe's time once it has come
}

// drive does what is due, and finds out when to come again. The caller holds the lock.
func (t *Timeline) drive() {
	l := t.live
	if l == nil {
		t.board.publish()
		return
	}
	at := time.Now()
	now := l.now(at)
	l.full = false
	t.armKeyframes()
	next := now + media.Ticks(restTime, Timescale)
	for _, list := range t.st.slots {
		next = min(next, t.driveSlot(list, now))
	}
	t.withdrawPosted(now)
	t.st.settle(now-settleTime, func(r *revision) {
		l.stream.Unpost(r.key())
		delete(l.posted, r.key())
	})
	l.due = at.Add(media.Duration(next-now, Timescale))
	l.nudge()
	t.board.publish()
}

// driveSlot posts what is due in a slot. It returns when something is due next.
func (t *Timeline) driveSlot(list []*revision, now int64) (next int64) {
	next = Open
	for _, r := range list {
		if r.start > now+announce {
			return min(next, max(r.start-announce, now+together))
		}
		if err := t.post(r, t.st.effectiveBefore(r, now+announce), now); err != nil {
			next = now + media.Ticks(retryTime, Timescale)
		}
		if end := t.st.effective(r); end > now-settleTime && end != Open {
			next = min(next, max(end+settleTime+1, now+together))
		}
	}
	return next
}

// post tells the stream, and before that the viewers' side, of a revision that ends at end as far as anybody
// shall know.
func (t *Timeline) post(r *revision, end, now int64) error {
	m := Mark{ID: r.id, Rev: r.rev, Kind: r.kind, Slot: r.slot, Start: r.start, End: end, Hash: r.hash}
	old, posted := t.live.posted[r.key()]
	if posted && old.End == end || !posted && end <= r.start {
		return nil // it is known, or something else begins at the same frame
	}
	over := !posted && end <= now-t.book.holdBack && (end < t.live.untold || end != t.st.own(r))
	if over && r.told {
		return nil
	}
	t.board.announce(r, t.st.show, end)
	if r.told = true; over {
		return nil // it was over before this show began for its viewers, or they hear of what has taken its place
	}
	if t.live.full && !posted {
		return stream.ErrTooManyNotes
	}
	whole := m
	whole.Content = r.doc
	if err := t.live.stream.Post(r.key(), whole.Unit()); err != nil {
		t.live.full = true
		if err != stream.ErrClosed && t.complaints.take(time.Now(), 1.0/60, 3) == 0 {
			t.log.Warn("cues wait: too many are up or about to be", slog.String("first", r.key()), slog.Any("error", err))
		}
		return err
	}
	t.live.posted[r.key()] = m
	return nil
}

// withdrawPosted takes back what has been posted and shall not be seen any more.
func (t *Timeline) withdrawPosted(now int64) {
	for key, m := range t.live.posted {
		r := t.st.find(m.ID, m.Rev)
		if r != nil && !r.withdrawn {
			continue
		}
		if m.Withdrawn() {
			if m.Start < now-settleTime {
				t.live.stream.Unpost(key)
				delete(t.live.posted, key)
			}
			continue
		}
		m.End = m.Start
		if t.live.stream.Post(key, m.Unit()) == nil {
			t.live.posted[key] = m
		}
		t.board.withdraw(m)
	}
}

// armKeyframes asks the stream for the next keyframe on behalf of the cues that wait for it, and stops asking
// for those that do not any more.
func (t *Timeline) armKeyframes() {
	for key, a := range t.arms {
		if r := t.st.find(a.mark.ID, a.mark.Rev); r == nil || r.withdrawn {
			if !a.cancel() { // it has just come, and the mark is out
				a.mark.Start = <-a.tick
				t.live.posted[key] = a.mark
			}
			t.disarm(key)
		}
	}
	for _, r := range t.st.waiting {
		if r.at.By == byKeyframe && t.arms[r.key()] == nil {
			t.arm(r)
		}
	}
}

func (t *Timeline) arm(r *revision) {
	t.board.keep(r)
	a := &arm{
		mark: Mark{ID: r.id, Rev: r.rev, Kind: r.kind, Slot: r.slot, Hash: r.hash, End: Open},
		tick: make(chan int64, 1),
	}
	end, doc, mark, l := r.end, r.doc, a.mark, t.live
	if end.By == byDate {
		end = when{byMedia, t.st.show.ticks(time.Unix(0, end.N))}
	}
	// What follows runs with the stream's lock held: it touches nothing but its own copies.
	a.cancel = l.stream.AtKeyframe(func(pts, timescale int64) (string, media.AccessUnit, bool) {
		m := mark
		m.Start = media.Rescale(pts, timescale, Timescale)
		switch end.By {
		case byDuration:
			m.End = m.Start + end.N
		case byMedia:
			m.End = end.N
		}
		m.Content = doc
		a.tick <- m.Start
		l.nudge()
		return m.Key(), m.Unit(), true
	})
	t.arms[r.key()] = a
}

// collect places the cues whose keyframe has come. The caller holds the lock.
func (t *Timeline) collect() []*record {
	x := t.newTx()
	for key, a := range t.arms {
		select {
		case tick := <-a.tick:
			r := t.st.find(a.mark.ID, a.mark.Rev) // drive has seen to it that it waits
			x.emit(&record{Type: recPlace, ID: r.id, Rev: r.rev, Tick: tick})
			a.mark.Start, a.mark.End = tick, t.st.own(r)
			t.live.posted[key] = a.mark
			t.board.announce(r, t.st.show, a.mark.End)
			t.disarm(key)
		default:
		}
	}
	return x.group
}

// disarm forgets an arm and tells who waits for it.
func (t *Timeline) disarm(key string) {
	delete(t.arms, key)
	if c := t.placed[key]; c != nil {
		close(c)
		delete(t.placed, key)
	}
}

// follow is the life of a show: it waits for its first keyframe, drives its cues, and ends with it. begun has
// the first keyframe's time once that has come.
func (t *Timeline) follow(s *stream.Stream, begun <-chan int64, messages <-chan hostMessage) {
	<-t.turn
	defer func() { t.turn <- struct{}{} }()
	select {
	case first := <-begun:
		t.beginShow(s, first)
	case <-s.Done():
		return // nobody has seen it
	}
	l := t.live
	sample := time.NewTicker(sampleTime)
	defer sample.Stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	lifeSign := time.Now()
	for {
		select {
		case <-s.Done():
			t.endShow(l)
			return
		case <-timer.C:
			t.mu.Lock()
			t.run()
			t.mu.Unlock()
		case <-l.wake:
			t.mu.Lock()
			if t.anyArrived() {
				t.run()
			}
			timer.Reset(time.Until(l.due))
			t.mu.Unlock()
		case now := <-sample.C:
			t.mu.Lock()
			l.clock.observe(s.Shown(), now)
			if now.Sub(lifeSign) >= lifeSignTime {
				lifeSign = now
				t.signLife(now)
			}
			t.mu.Unlock()
		case m := <-messages:
			t.hostMessages(m, messages)
		}
	}
}

// anyArrived reports whether a keyframe has come that a cue waits for.
func (t *Timeline) anyArrived() bool {
	for _, a := range t.arms {
		if len(a.tick) > 0 {
			return true
		}
	}
	return false
}

// lifeSignTime is how often a journal notes that its show is on. A show that has not ended in order goes on if
// it was on a short while ago.
const lifeSignTime = 30 * time.Second

// signLife notes that the show is on. The caller holds the lock.
func (t *Timeline) signLife(now time.Time) {
	rec := &record{Type: recAlive, Wall: now.UnixMilli()}
	t.st.apply(rec)
	if t.journal != nil && !t.journal.behind {
		_ = t.journal.append([][]*record{{rec}}, false) // nothing is lost but a life sign
	}
}

// beginShow takes up what has been kept for the show.
func (t *Timeline) beginShow(s *stream.Stream, first int64) {
	l := newLive(s)
	l.clock.observe(s.Shown(), time.Now())
	t.certainly(func(x *tx) {
		resumed := false
		alive := time.UnixMilli(x.s.alive)
		if x.s.on { // the former show has not ended in order
			if away := x.wall.Sub(alive); away <= t.book.cfg.Resume {
				resumed = true
			} else {
				at := x.s.show.ticks(alive)
				x.emit(&record{Type: recOver, Tick: at})
			}
		}
		t.live = l
		t.board.begin(show{s.Epoch(), s.Start()}, resumed)
		x.emit(&record{Type: recBegin, Epoch: s.Epoch(), Start: s.Start().UnixNano(), Tick: first, Resumed: resumed})
		t.relist(l.now(x.wall))
		if resumed {
			t.takeBackUntold(l)
			t.log.Info("the cues of the interrupted show go on", slog.Int("cues", len(x.s.cues)))
		}
	})
}

// takeBackUntold has all told of once more that players may still have open since the server before this one: what
// has ended while there was no server, and what was announced and taken back.
func (t *Timeline) takeBackUntold(l *live) {
	last := time.UnixMilli(t.read)
	l.untold = t.st.show.ticks(last.Add(-untoldTime))
	until := t.st.show.ticks(last) + announce
	for _, c := range t.st.cues {
		for _, r := range c.revs {
			if r.placed && r.withdrawn && r.start >= l.untold && r.start <= until {
				t.board.keep(r)
				l.posted[r.key()] = Mark{ID: r.id, Rev: r.rev, Kind: r.kind, Slot: r.slot, Start: r.start, End: Open, Hash: r.hash}
			}
		}
	}
}

// await tells the viewers' side of a show that the last server has left open, until its host is back.
func (t *Timeline) await() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.load()
	t.used = time.Now()
	if t.live != nil || !t.st.on {
		return
	}
	t.board.begin(t.st.show, true)
	t.relist(t.st.show.ticks(time.Now().Add(maxLead))) // the show's clock may have been ahead
	t.board.publish()
}

// relist tells the viewers' side of all cues that are up or have been, after the show was taken up again.
func (t *Timeline) relist(now int64) {
	var all []*revision
	for _, l := range t.st.slots {
		all = append(all, l...)
	}
	slices.SortFunc(all, bySeq)
	for _, r := range all {
		if r.start <= now+announce {
			t.board.announce(r, t.st.show, t.st.effectiveBefore(r, now+announce))
		}
	}
}

// endShow ends what is up with the show, unless the server ends before it.
func (t *Timeline) endShow(l *live) {
	if t.book.closed.Load() {
		return
	}
	t.certainly(func(x *tx) {
		end := media.Ticks(l.stream.Shown(), Timescale)
		for key, a := range t.arms {
			a.cancel()
			t.disarm(key)
		}
		t.live = nil
		x.emit(&record{Type: recOver, Tick: end})
		t.board.end(x.s)
	})
}
