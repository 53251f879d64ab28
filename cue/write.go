package cue

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"pushcart/media"
)

const (
	// keyframeWait is how long a Create waits for the keyframe that it is for.
	keyframeWait = 5 * time.Second
	// maxKeyLen bounds an idempotency key.
	maxKeyLen = 255
)

func tooMany(wait time.Duration, format string, args ...any) *Error {
	e := refuse(TooMany, format, args...)
	e.RetryAfter = wait
	return e
}

// write runs a write of the API: it counts against the rate, and is done once for each key. op and body are what
// the key stands for. repeat makes the answer when it was done before; do does it and says which revision has
// come of it, if any.
func (t *Timeline) write(op, body, key string, repeat func(*tx, usedKey), do func(*tx) (id string, rev int, err error)) error {
	err := t.do(func(x *tx) error {
		if err := x.limit(&t.writes); err != nil {
			return err
		}
		if key == "" {
			_, _, err := do(x)
			return err
		}
		if len(key) > maxKeyLen {
			return refuse(Invalid, "the idempotency key has %d characters: at most %d are possible", len(key), maxKeyLen)
		}
		asked := hash([]byte(op + "\x00" + body))
		if old, ok := x.s.keys[key]; ok {
			if old.asked != asked {
				return refuse(Conflict, "the idempotency key %s was used for another write: take a new one", quote(key))
			}
			repeat(x, old)
			return nil
		}
		id, rev, err := do(x)
		if err != nil {
			return err
		}
		x.emit(&record{Type: recKey, Key: key, Asked: asked, ID: id, Rev: rev})
		return nil
	})
	if err != nil {
		t.book.counts.refused.Add(1)
	}
	return err
}

func (x *tx) limit(b *bucket) error {
	if wait := b.take(x.wall, MaxRate, Burst); wait > 0 {
		return tooMany(wait, "more than %d writes a second for one show: send it again in %v; many cues at once are a run of show", MaxRate, wait.Round(time.Millisecond))
	}
	return nil
}

// Create makes a cue of its JSON. One that has the id of a cue that is there is a repetition if it says the
// same, else a Conflict. A cue for the next keyframe is waited for for some seconds; then the reply says
// that it is still pending.
func (t *Timeline) Create(ctx context.Context, body []byte, key string) (Reply, error) {
	sc, err := parseScript(body)
	if err != nil {
		t.book.counts.refused.Add(1)
		return Reply{}, err
	}
	var reply Reply
	var wait <-chan struct{}
	err = t.write("create", string(body), key, func(x *tx, old usedKey) {
		reply = Reply{Cue: x.lookUp(old.id), Repeated: true}
	}, func(x *tx) (string, int, error) {
		r, repeated, err := x.create(sc)
		if err != nil {
			return "", 0, err
		}
		if reply = (Reply{Cue: x.view(r, true), Created: !repeated, Repeated: repeated}); !repeated {
			t.book.counts.created.Add(1)
			wait = x.waitFor(r)
		}
		return r.id, r.rev, nil
	})
	if err != nil {
		return Reply{}, err
	}
	return t.answer(ctx, reply, wait)
}

// waitFor returns what is closed when the cue has found its keyframe, nil if it does not wait for one.
func (x *tx) waitFor(r *revision) <-chan struct{} {
	if r.placed || r.at.By != byKeyframe || !x.on() {
		return nil
	}
	c := x.t.placed[r.key()]
	if c == nil {
		c = make(chan struct{})
		x.t.placed[r.key()] = c
	}
	return c
}

// answer returns the reply as it is once a keyframe has come, or has not come for too long.
func (t *Timeline) answer(ctx context.Context, reply Reply, wait <-chan struct{}) (Reply, error) {
	if wait != nil {
		timer := time.NewTimer(keyframeWait)
		defer timer.Stop()
		select {
		case <-wait:
		case <-timer.C:
		case <-ctx.Done():
			return Reply{}, ctx.Err()
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.newTx()
	if r := x.s.find(reply.ID, reply.Rev); r != nil {
		reply.Cue = x.view(r, true) // announced by now, if it is near
	}
	return reply, nil
}

// create makes a cue, unless it was made before.
func (x *tx) create(sc script) (r *revision, repeated bool, err error) {
	asked := sc.digest()
	if sc.id == "" {
		sc.id = newID()
	} else if c := x.s.cues[sc.id]; c != nil && !x.former(c.latest()) {
		if x.wasAsked(c, asked) {
			return c.latest(), true, nil
		}
		return nil, false, refuse(Conflict, "%s is there already and says something else: revise it (PATCH), or take another id", sc.id)
	}
	r, err = x.put(sc, asked)
	return r, false, err
}

// newID makes an id that nobody has used.
func newID() string { return "c-" + strings.ToLower(rand.Text()[:13]) }

// wasAsked reports whether a cue has come of what is asked for now.
func (x *tx) wasAsked(c *series, asked string) bool {
	for _, r := range c.revs {
		if r.asked == asked {
			return true
		}
	}
	return false
}

// former reports whether r belongs to a show that has ended.
func (x *tx) former(r *revision) bool { return !x.s.on && (r.placed || r.withdrawn) }

// put adds the next revision of sc.id.
func (x *tx) put(sc script, asked string) (*revision, error) {
	rec := &record{Type: recRev, ID: sc.id, Rev: x.s.nextRev(sc.id), Kind: sc.kind, Slot: sc.slot, Asked: asked}
	if err := x.placeAt(rec, sc.at); err != nil {
		return nil, err
	}
	return x.putAt(sc, rec)
}

// putAt adds a revision whose start is known, as far as it can be.
func (x *tx) putAt(sc script, rec *record) (*revision, error) {
	x.queue(rec)
	end, err := x.resolveEnd(sc.end)
	if err != nil {
		return nil, err
	}
	rec.End = end
	if err := x.checkEnd(rec); err != nil {
		return nil, err
	}
	rec.Doc = sc.document(sc.id, rec.Rev)
	if until := sc.body.text("until"); strings.HasPrefix(until, "+") {
		rec.Until = until
	}
	x.freeze(rec)
	if err := x.makeRoom(rec); err != nil {
		return nil, err
	}
	x.emit(rec)
	return x.s.find(rec.ID, rec.Rev), nil
}

// queue keeps a revision from beginning before one of the same cue that came earlier: it would be ended by it.
func (x *tx) queue(rec *record) {
	if c := x.s.cues[rec.ID]; c != nil && rec.Placed {
		for _, r := range c.revs {
			if r.placed && !r.withdrawn {
				rec.Tick = max(rec.Tick, r.start)
			}
		}
	}
}

// placeAt finds out when a cue begins.
func (x *tx) placeAt(rec *record, at when) error {
	if rec.At = at; at.By == byNothing {
		rec.At.By = byNow
	}
	if !x.on() {
		return x.placeLater(rec)
	}
	switch now := x.now + x.t.delay(); rec.At.By {
	case byNow:
		rec.Tick = now
	case byAfter:
		rec.Tick = now + rec.At.N
	case byDate:
		rec.Tick = x.s.show.ticks(time.Unix(0, rec.At.N))
	case byMedia:
		rec.Tick = rec.At.N
	default:
		return nil
	}
	rec.Placed, rec.Tick = true, max(rec.Tick, 0)
	return x.checkSeen("at", rec.Tick)
}

// checkSeen refuses a time that viewers have behind them, or one that is too far ahead.
func (x *tx) checkSeen(field string, tick int64) error {
	if edge := min(x.now, media.Ticks(x.t.live.stream.Shown(), Timescale)); tick < edge-x.t.book.holdBack && !x.trusted {
		ago := media.Duration(x.now-tick, Timescale).Round(time.Millisecond)
		return refuse(Invalid, "%s is %v ago, and viewers, who are %v behind, have seen that: use \"now\"", field, ago, media.Duration(x.t.book.holdBack, Timescale))
	}
	if media.Duration(tick-x.now, Timescale) > maxAhead {
		return refuse(Invalid, "%s is more than %v ahead: send it later", field, maxAhead)
	}
	return nil
}

// placeLater keeps a cue for a show that has not begun.
func (x *tx) placeLater(rec *record) error {
	switch rec.At.By {
	case byNow, byKeyframe:
		rec.At = when{By: byShow}
	case byAfter:
		rec.At = when{byDate, x.wall.Add(media.Duration(rec.At.N, Timescale)).UnixNano()}
	case byMedia:
		rec.At = x.datedIfAwaited(rec.At)
	case byDate:
		switch ahead := time.Unix(0, rec.At.N).Sub(x.wall); {
		case ahead < -missedAfter:
			return refuse(Invalid, "at is %v ago: use a date to come", -ahead.Round(time.Second))
		case ahead > maxAhead:
			return refuse(Invalid, "at is more than %v ahead: send it later", maxAhead)
		}
	}
	return nil
}

// datedIfAwaited makes a date of a media time of the show whose host is expected back after a restart: then it
// goes on with another zero.
func (x *tx) datedIfAwaited(at when) when {
	if x.s.on && !x.on() && at.By == byMedia {
		return when{byDate, x.s.show.date(at.N).UnixNano()}
	}
	return at
}

// resolveEnd makes an end that does not depend on when it was said.
func (x *tx) resolveEnd(end when) (when, error) {
	switch {
	case end.By != byNow && end.By != byAfter:
		return x.datedIfAwaited(end), nil
	case x.on():
		return when{byMedia, x.now + x.t.delay() + end.N}, nil
	case end.By == byNow:
		return when{}, refuse(Invalid, `end is "now", and no show is on: leave it out, or undo the cue`)
	}
	return when{byDate, x.wall.Add(media.Duration(end.N, Timescale)).UnixNano()}, nil
}

// checkEnd refuses a cue that would end before it begins, or already has.
func (x *tx) checkEnd(rec *record) error {
	ok := true
	switch {
	case rec.Placed:
		end := x.s.own(&revision{start: rec.Tick, end: rec.End})
		ok = end > rec.Tick && end > x.clockNow()-x.t.book.holdBack
	case rec.End.By == byDate && rec.At.By == byDate:
		ok = rec.End.N > rec.At.N
	case rec.End.By == byDate:
		ok = rec.End.N > x.wall.UnixNano()
	}
	if !ok {
		return refuse(Invalid, "end is not after the cue's start, or has passed: put it later, or leave it out")
	}
	return nil
}

// freeze makes a date of a countdown's end that counts from the cue's start, if that is known, or nearly.
func (x *tx) freeze(rec *record) {
	switch {
	case rec.Until == "":
	case rec.Placed:
		rec.Doc = untilFrom(rec.Doc, rec.Until, x.s.show.date(rec.Tick))
	case rec.At.By == byKeyframe && x.on():
		rec.Doc = untilFrom(rec.Doc, rec.Until, x.s.show.date(x.now))
	} // else it is known when the show begins
}

// makeRoom refuses what passes the limits of a show.
func (x *tx) makeRoom(rec *record) error {
	switch {
	case len(rec.Doc) > MaxBytes:
		return refuse(TooLarge, "the cue has %d bytes: at most %d are possible; put large things behind a URL", len(rec.Doc), MaxBytes)
	case x.s.count >= MaxCues && !x.forgetOld():
		return refuse(Full, "the show has %d cues and revisions, which is as many as it may have", MaxCues)
	case x.s.bytes+len(rec.Doc) > MaxShowBytes:
		return refuse(Full, "the show's cues have %d MiB together, which is as much as they may have", MaxShowBytes>>20)
	case x.s.usedSlots(rec.Slot) > MaxSlots:
		return refuse(Full, "%d slots are in use, which is as many as a show may have: use one of them", MaxSlots)
	}
	return nil
}

// forgetSome is how many old cues are forgotten at a time.
const forgetSome = 100

// forgetOld forgets the oldest revisions that are over or were never seen, so that a show that goes on for days
// has room for new ones.
func (x *tx) forgetOld() bool {
	var old []*revision
	for _, c := range x.s.cues {
		for _, r := range c.revs {
			if r.settled || r.withdrawn && !x.posted(r) {
				old = append(old, r)
			}
		}
	}
	slices.SortFunc(old, bySeq)
	for _, r := range old[:min(len(old), forgetSome)] {
		x.emit(&record{Type: recForget, ID: r.id, Rev: r.rev})
	}
	return len(old) > 0
}

// posted reports whether the stream knows of a revision.
func (x *tx) posted(r *revision) bool {
	if x.t.live == nil {
		return false
	}
	_, ok := x.t.live.posted[r.key()]
	return ok || x.t.arms[r.key()] != nil
}

// usedSlots counts the slots that are in use, with one more.
func (s *state) usedSlots(slot string) int {
	if len(s.slots[slot]) > 0 || len(s.slots)+len(s.waiting) < MaxSlots {
		return 0 // near enough
	}
	used := map[string]bool{slot: true}
	for name := range s.slots {
		used[name] = true
	}
	for _, r := range s.waiting {
		used[r.slot] = true
	}
	return len(used)
}
