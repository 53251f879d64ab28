package cue

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

const (
	// memory is how long it is remembered which revisions an id has had: for as long as somebody may keep
	// a document under its URL.
	memory = 8 * 24 * time.Hour
	// maxUsed bounds these ids; those of longest ago go first.
	maxUsed = 50_000
	// keyMemory is how long an idempotency key is remembered, maxKeys how many are.
	keyMemory = 24 * time.Hour
	maxKeys   = 20_000
	// missedAfter is how long a cue with a date waits for a show that is late.
	missedAfter = 12 * time.Hour
)

// state is what a Timeline knows: a function of the records that have been applied to it, and of nothing
// else. It is for one goroutine.
type state struct {
	show  show // the present one, or the last; the zero value before the first
	on    bool
	ended int64 // where the last one ended
	alive int64 // the last sign of life of the present one, in milliseconds since 1970

	cues    map[string]*series
	slots   map[string][]*revision // of the show that is on: placed and not withdrawn, by start
	waiting []*revision            // whose start is not known yet
	seq     int64
	count   int // revisions in cues
	bytes   int // of their documents

	used map[string]usedID // ids that are not in cues any more
	// firstRev is above all revisions that there may have been before, of which nothing was kept.
	firstRev int
	facts    map[string]*Fact
	delay    *time.Duration
	keys     map[string]usedKey
	keyAge   []string // keys, oldest first
	run      *rundown
}

// series is a cue: the revisions of one id.
type series struct{ revs []*revision }

func (c *series) latest() *revision { return c.revs[len(c.revs)-1] }

// revision is one revision of a cue.
type revision struct {
	id         string
	rev        int
	name       string // key
	kind, slot string
	doc        []byte
	hash       string
	until      string // as it was written, if it counts from the start
	asked      string
	at         when // as the caller has put it
	end        when // its own: nothing, or by duration, media time or date
	seq        int64
	placed     bool
	start      int64 // ticks; if placed
	withdrawn  bool
	undone     bool
	told       bool   // viewers can read of it
	of         string // epoch of the show it was placed in

	// Of revisions that have long been over, and have left their slot's list:
	settled   bool
	final     int64     // where they ended
	displaced *revision // what the slot had before, when that one has left the list
}

// key names the revision among all of the show.
func (r *revision) key() string {
	if r.name == "" {
		r.name = Mark{ID: r.id, Rev: r.rev}.Key()
	}
	return r.name
}

type usedID struct {
	rev  int
	wall int64
}

type usedKey struct {
	asked string
	id    string
	rev   int
	wall  int64
}

func newState() *state {
	return &state{
		cues:  make(map[string]*series),
		slots: make(map[string][]*revision),
		used:  make(map[string]usedID),
		facts: make(map[string]*Fact),
		keys:  make(map[string]usedKey),
	}
}

// apply makes rec so. It returns what takes that back if the record can't be kept, nil for what is so
// whether or not it can be kept. A record that contradicts the state changes nothing.
func (s *state) apply(rec *record) (undo func()) {
	switch rec.Type {
	case recID:
		s.remember(rec.ID, rec.Rev, rec.Wall)
	case recRev:
		return s.applyRev(rec)
	case recPlace:
		if r := s.find(rec.ID, rec.Rev); r != nil && !r.placed && !r.withdrawn && s.on {
			s.unwait(r)
			s.place(r, rec.Tick)
		}
	case recEnd:
		if r := s.find(rec.ID, rec.Rev); r != nil && (s.on || !r.placed) {
			end, undone := r.end, r.undone
			r.end, r.undone = rec.End, r.undone || rec.Undone
			return func() { r.end, r.undone = end, undone }
		}
	case recDrop:
		return s.applyDrop(rec)
	case recForget:
		return s.applyForget(rec)
	case recBegin:
		s.applyBegin(rec)
	case recOver:
		s.applyOver(rec)
	case recAlive:
		s.alive = max(s.alive, rec.Wall)
	case recFact:
		return s.applyFact(rec)
	case recDelay:
		old := s.delay
		s.delay = rec.Delay
		return func() { s.delay = old }
	case recKey:
		return s.applyKey(rec)
	case recLoad, recItem, recStep, recUnstep:
		return s.applyRun(rec)
	}
	return func() {}
}

// find returns a revision, nil if there is none.
func (s *state) find(id string, rev int) *revision {
	c := s.cues[id]
	if c == nil {
		return nil
	}
	if i := seriesIndex(c.revs, rev); i < len(c.revs) && c.revs[i].rev == rev {
		return c.revs[i]
	}
	return nil
}

// nextRev is the number of the next revision of an id.
func (s *state) nextRev(id string) int {
	last := max(s.used[id].rev, s.firstRev)
	if c := s.cues[id]; c != nil {
		last = max(last, c.latest().rev)
	}
	return last + 1
}

func (s *state) applyRev(rec *record) func() {
	if rec.ID == "" || rec.Rev <= s.used[rec.ID].rev || s.find(rec.ID, rec.Rev) != nil || rec.Placed && !s.on {
		return func() {}
	}
	s.seq++
	r := &revision{
		id: rec.ID, rev: rec.Rev, kind: rec.Kind, slot: rec.Slot, doc: rec.Doc, hash: hash(rec.Doc), until: rec.Until,
		asked: rec.Asked, at: rec.At, end: rec.End, undone: rec.Undone, seq: s.seq,
	}
	s.add(r)
	if rec.Placed {
		s.place(r, rec.Tick)
	} else {
		s.waiting = append(s.waiting, r)
	}
	return func() { s.withdraw(r); s.remove(r) }
}

// add puts a revision into its cue, by its number.
func (s *state) add(r *revision) {
	c := s.cues[r.id]
	if c == nil {
		c = new(series)
		s.cues[r.id] = c
	}
	c.revs = slices.Insert(c.revs, seriesIndex(c.revs, r.rev), r)
	s.count++
	s.bytes += len(r.doc)
}

// remove forgets a revision that is in no slot and does not wait.
func (s *state) remove(r *revision) {
	c := s.cues[r.id]
	if c == nil {
		return
	}
	c.revs = slices.DeleteFunc(c.revs, func(x *revision) bool { return x == r })
	if len(c.revs) == 0 {
		delete(s.cues, r.id)
	}
	s.count--
	s.bytes -= len(r.doc)
	r.displaced = nil // else all that there ever was would hang on the newest
}

// place gives a revision its start in the show that is on.
func (s *state) place(r *revision, start int64) {
	r.placed, r.start, r.of = true, start, s.show.epoch
	l := s.slots[r.slot]
	at, _ := slices.BinarySearchFunc(l, r, func(a, b *revision) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.seq, b.seq))
	})
	s.slots[r.slot] = slices.Insert(l, at, r)
}

// withdraw takes a revision out of its slot, or out of those that wait.
func (s *state) withdraw(r *revision) {
	if !r.placed {
		s.unwait(r)
		return
	}
	l := s.slots[r.slot]
	if i := slotIndex(l, r); i >= 0 {
		l = slices.Delete(l, i, i+1)
	}
	if s.slots[r.slot] = l; len(l) == 0 {
		delete(s.slots, r.slot)
	}
}

func (s *state) unwait(r *revision) {
	if i := slices.Index(s.waiting, r); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
}

func (s *state) applyDrop(rec *record) func() {
	r := s.find(rec.ID, rec.Rev)
	if r == nil || r.withdrawn {
		return func() {}
	}
	r.withdrawn = true
	s.withdraw(r)
	return func() {
		r.withdrawn = false
		if r.placed {
			s.place(r, r.start)
		} else {
			s.waiting = append(s.waiting, r)
			slices.SortFunc(s.waiting, bySeq)
		}
	}
}

// applyForget makes room: a revision that nobody needs any more goes.
func (s *state) applyForget(rec *record) func() {
	r := s.find(rec.ID, rec.Rev)
	if r == nil {
		return func() {}
	}
	used, had := s.used[r.id]
	displaced := r.displaced
	inSlot := slotIndex(s.slots[r.slot], r) >= 0
	s.withdraw(r)
	s.remove(r)
	s.remember(r.id, r.rev, rec.Wall)
	return func() {
		if delete(s.used, r.id); had {
			s.used[r.id] = used
		}
		s.add(r)
		r.displaced = displaced
		if inSlot {
			s.place(r, r.start)
		}
	}
}

// applyBegin begins a show: a new one, or one that goes on after the server had died.
func (s *state) applyBegin(rec *record) {
	former := s.show
	resumed := rec.Resumed && s.on
	s.show = show{rec.Epoch, time.Unix(0, rec.Start)}
	away := time.Duration(rec.Wall-s.alive) * time.Millisecond
	s.alive = max(s.alive, rec.Wall)
	if resumed {
		s.rebase(former)
	} else {
		s.forget(rec.Wall)
		clear(s.slots)
		if s.run != nil {
			s.run.begins(away)
		}
	}
	s.on = true
	waiting := s.waiting
	s.waiting = nil
	for _, r := range waiting {
		if resumed && r.at.By == byKeyframe {
			// Viewers may have been told of it when the server died: it is noted a moment after they are.
			r.withdrawn = true
			s.reissue(r)
			continue
		}
		s.takeUp(r, rec.Tick)
	}
}

// takeUp places a cue that has waited for a show, whose first frame is at first.
func (s *state) takeUp(r *revision, first int64) {
	start := first
	switch r.at.By {
	case byKeyframe:
		s.waiting = append(s.waiting, r)
		return
	case byMedia:
		start = max(r.at.N, first)
	case byDate:
		date := time.Unix(0, r.at.N)
		if s.show.date(first).Sub(date) > missedAfter {
			r.withdrawn = true
			return
		}
		start = max(s.show.ticks(date), first)
	}
	r.start = start
	if s.own(r) <= start {
		r.withdrawn = true
		return
	}
	if r.until != "" { // nobody has read the document so far
		s.bytes -= len(r.doc)
		r.doc = untilFrom(r.doc, r.until, s.show.date(start))
		r.hash = hash(r.doc)
		s.bytes += len(r.doc)
	}
	s.place(r, start)
}

// forget leaves nothing of former shows but which revisions there were.
func (s *state) forget(wall int64) {
	for id, c := range s.cues {
		last := c.latest().rev
		for _, r := range slices.Clone(c.revs) {
			if r.of != "" || r.withdrawn {
				s.remove(r)
			}
		}
		if s.cues[id] == nil {
			s.remember(id, last, wall)
		}
	}
	s.trimUsed()
}

// remember keeps in mind that an id was used up to a revision.
func (s *state) remember(id string, rev int, wall int64) {
	s.used[id] = usedID{max(s.used[id].rev, rev), wall}
}

// trimUsed forgets the ids that were used longest ago, if there are too many.
func (s *state) trimUsed() {
	if len(s.used) <= maxUsed {
		return
	}
	ids := slices.SortedFunc(maps.Keys(s.used), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.used[a].wall, s.used[b].wall), cmp.Compare(a, b))
	})
	for _, id := range ids[:len(ids)-maxUsed] {
		delete(s.used, id)
	}
}

// rebase moves all cues from the former show, which has not ended in order, to the one that goes on with it.
// Each keeps its date.
func (s *state) rebase(former show) {
	move := func(ticks int64) int64 {
		return s.show.ticks(former.date(ticks).Truncate(time.Millisecond))
	}
	clear(s.slots)
	var all []*revision
	for _, c := range s.cues {
		for _, r := range c.revs {
			if r.placed {
				r.start = move(r.start)
				if r.end.By == byMedia {
					r.end.N = move(r.end.N)
				}
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, bySeq)
	for _, r := range all {
		r.displaced, r.settled = nil, false
		if r.of = s.show.epoch; !r.withdrawn {
			s.place(r, r.start)
		}
	}
}

// applyOver ends the show in order: what is up ends with it, what has not begun is withdrawn, unless it has a
// date of its own: that is kept for the next show. If viewers have been told of it, it is kept as a new
// revision, as it may begin at another time.
func (s *state) applyOver(rec *record) {
	if !s.on {
		return
	}
	at := rec.Tick
	told := max(at, s.show.ticks(time.UnixMilli(rec.Wall))) + announce // the clock may have been set back
	ends := make(map[*revision]int64)
	for _, l := range s.slots {
		for _, r := range l {
			ends[r] = s.effective(r)
		}
	}
	for _, r := range slices.SortedFunc(maps.Keys(ends), bySeq) {
		switch {
		case r.start < at:
			r.end = when{byMedia, min(ends[r], at)}
		case r.at.By == byDate && r.start <= told:
			r.withdrawn = true
			s.reissue(r)
		case r.at.By == byDate:
			r.placed, r.of = false, ""
			s.waiting = append(s.waiting, r)
		default:
			r.withdrawn = true
		}
	}
	s.waiting = slices.DeleteFunc(s.waiting, func(r *revision) bool {
		r.withdrawn = r.withdrawn || r.at.By == byKeyframe
		return r.withdrawn
	})
	slices.SortFunc(s.waiting, bySeq)
	clear(s.slots)
	s.on, s.ended, s.alive = false, at, max(s.alive, rec.Wall)
}

// reissue makes a revision wait for the next show as a new one.
func (s *state) reissue(r *revision) {
	s.seq++
	n := &revision{
		id: r.id, rev: s.nextRev(r.id), kind: r.kind, slot: r.slot, until: r.until, asked: r.asked, at: r.at, end: r.end, seq: s.seq,
	}
	n.doc = renumber(r.doc, n.rev)
	n.hash = hash(n.doc)
	s.add(n)
	s.waiting = append(s.waiting, n)
}

// bySeq orders revisions by when they were made.
func bySeq(a, b *revision) int { return cmp.Compare(a.seq, b.seq) }

// own is where a placed revision ends by itself.
func (s *state) own(r *revision) int64 {
	switch r.end.By {
	case byDuration:
		return r.start + min(r.end.N, math.MaxInt64-max(r.start, 0))
	case byMedia:
		return r.end.N
	case byDate:
		return s.show.ticks(time.Unix(0, r.end.N))
	}
	return Open
}

// effective is where a placed revision ends: by itself, when something else takes its slot, or when a newer
// revision takes its place.
func (s *state) effective(r *revision) int64 { return s.effectiveBefore(r, Open) }

// effectiveBefore is effective as if nothing began later than horizon.
func (s *state) effectiveBefore(r *revision, horizon int64) int64 {
	if r.settled {
		return r.final
	}
	end := s.own(r)
	l := s.slots[r.slot]
	if i := slotIndex(l, r); i >= 0 && i+1 < len(l) && l[i+1].start <= horizon {
		end = min(end, l[i+1].start)
	}
	revs := s.cues[r.id].revs
	for i := seriesIndex(revs, r.rev) + 1; i < len(revs); i++ {
		if next := revs[i]; next.placed && !next.withdrawn {
			if next.start <= horizon {
				end = min(end, next.start)
			}
			break // those behind it do not begin earlier
		}
	}
	return end
}

// seriesIndex finds the revision numbered rev, or where it would be.
func seriesIndex(revs []*revision, rev int) int {
	i, _ := slices.BinarySearchFunc(revs, rev, func(r *revision, rev int) int { return cmp.Compare(r.rev, rev) })
	return i
}

// settle takes what is over, and has been since before the given time, out of the slots' lists, and calls f
// with each.
func (s *state) settle(before int64, f func(*revision)) {
	for slot, l := range s.slots {
		n := 0
		for n < len(l) && s.effective(l[n]) <= before {
			n++
		}
		if n == 0 {
			continue
		}
		for _, r := range l[:n] {
			r.final = s.effective(r)
		}
		for i, r := range l[:n] {
			if r.settled = true; i+1 < len(l) {
				l[i+1].displaced = r
			}
			f(r)
		}
		if s.slots[slot] = slices.Delete(l, 0, n); n == len(l) {
			delete(s.slots, slot)
		}
	}
}

// slotIndex finds r in its slot's list, -1 if it is not there.
func slotIndex(l []*revision, r *revision) int {
	i, _ := slices.BinarySearchFunc(l, r, func(a, b *revision) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.seq, b.seq))
	})
	if i < len(l) && l[i] == r {
		return i
	}
	return -1
}

func (s *state) applyFact(rec *record) func() {
	old, had := s.facts[rec.Product]
	if rec.Stock == nil && rec.Prices == nil {
		delete(s.facts, rec.Product)
	} else {
		s.facts[rec.Product] = &Fact{rec.Product, rec.Stock, rec.Prices, time.UnixMilli(rec.Wall).UTC()}
	}
	return func() {
		if delete(s.facts, rec.Product); had {
			s.facts[rec.Product] = old
		}
	}
}

func (s *state) applyKey(rec *record) func() {
	for len(s.keyAge) > 0 && (len(s.keyAge) >= maxKeys || rec.Wall-s.keys[s.keyAge[0]].wall > keyMemory.Milliseconds()) {
		delete(s.keys, s.keyAge[0])
		s.keyAge = s.keyAge[1:]
	}
	if _, ok := s.keys[rec.Key]; ok {
		return func() {}
	}
	s.keys[rec.Key] = usedKey{rec.Asked, rec.ID, rec.Rev, rec.Wall}
	s.keyAge = append(s.keyAge, rec.Key)
	return func() {
		delete(s.keys, rec.Key)
		s.keyAge = slices.DeleteFunc(s.keyAge, func(k string) bool { return k == rec.Key })
	}
}
