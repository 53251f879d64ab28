package cue

import (
	"bytes"
	"context"
	"slices"
)

// Revise changes the newest revision of a cue by a JSON merge patch (RFC 7386). products can also be an object
// by product id, which changes the products it names. A cue that is up changes at "at" (now by default); one that is
// pending is replaced; one that is over comes up again if the patch says at when.
func (t *Timeline) Revise(ctx context.Context, id string, patch []byte, key string) (Reply, error) {
	p, err := readCue(patch)
	if err != nil {
		t.book.counts.refused.Add(1)
		return Reply{}, err
	}
	var reply Reply
	var wait <-chan struct{}
	err = t.write("revise "+id, string(patch), key, func(x *tx, old usedKey) {
		reply = Reply{Cue: x.lookUp(old.id), Repeated: true}
	}, func(x *tx) (string, int, error) {
		r, changed, err := x.revise(id, p)
		if err != nil {
			return "", 0, err
		}
		if reply = (Reply{Cue: x.view(r, true), Repeated: !changed}); changed {
			t.book.counts.revised.Add(1)
			wait = x.waitFor(r)
		}
		return r.id, r.rev, nil
	})
	if err != nil {
		return Reply{}, err
	}
	return t.answer(ctx, reply, wait)
}

// revise changes the newest revision of a cue by a patch.
func (x *tx) revise(id string, patch object) (r *revision, changed bool, err error) {
	c := x.s.cues[id]
	if c == nil {
		return nil, false, noSuchCue(id)
	}
	r = c.latest()
	if x.former(r) {
		return nil, false, refuse(Conflict, "%s is of a show that has ended: make it anew (POST) for the next one", id)
	}
	before, after, err := r.patched(patch, x.stateOf(r) != Active)
	if err != nil {
		return nil, false, err
	}
	_, hasDuration := patch.get("duration")
	_, hasEnd := patch.get("end")
	newEnd := hasDuration || hasEnd
	same := bytes.Equal(before.document(id, 0), after.document(id, 0))
	if same && after.at.By == byNothing {
		if !newEnd {
			return r, false, nil
		}
		return r, true, x.changeEnd(r, after.end)
	}
	switch state := x.stateOf(r); {
	case after.at.By == byNothing && (state == Over || state == Withdrawn):
		return nil, false, refuse(Conflict, `%s is %s: add "at" to the patch to bring it up again, such as "now"`, id, state)
	case state == Pending:
		r, err = x.replace(r, after, newEnd)
	default:
		r, err = x.goOn(r, state, after, newEnd)
	}
	return r, err == nil, err
}

// patched returns what r says, and what it says with the patch. With restart, a countdown that counts from the
// cue's start counts from the new one.
func (r *revision) patched(patch object, restart bool) (before, after script, err error) {
	v, err := readJSON(r.doc)
	if err != nil {
		return before, after, err
	}
	base, _ := v.(object)
	base = base.without("rev")
	if restart && r.until != "" {
		base = base.with("until", r.until)
	}
	if before, err = checkScript(base); err != nil {
		return before, after, err
	}
	if id, ok := patch.get("id"); ok && id != r.id {
		return before, after, refuse(Invalid, "id is %s in the patch of %s: the id of a cue never changes", describe(id), r.id)
	}
	if p, ok := patch.get("products"); ok {
		if byID, ok := p.(object); ok {
			products, _ := base.get("products")
			patch = append(object{}, patch...).with("products", patchProducts(products, byID))
		}
	}
	merged, _ := merge(base, patch).(object)
	after, err = checkScript(merged)
	return before, after, err
}

// patchProducts changes the products that the patch names; null takes one away.
func patchProducts(old any, patch object) list {
	products, _ := old.(list)
	products = slices.Clone(products)
	for _, m := range patch {
		at := slices.IndexFunc(products, func(p any) bool {
			o, _ := p.(object)
			return o.text("id") == m.name
		})
		switch {
		case m.value == nil && at >= 0:
			products = slices.Delete(products, at, at+1)
		case m.value == nil:
		case at >= 0:
			products[at] = merge(products[at], m.value)
		default:
			if o, ok := merge(object{{"id", m.name}}, m.value).(object); ok {
				products = append(products, o)
			} else {
				products = append(products, m.value) // refused when the cue is checked
			}
		}
	}
	return products
}

// changeEnd gives a revision another end, which is no matter of its content.
func (x *tx) changeEnd(r *revision, end when) error {
	if state := x.stateOf(r); state == Over || state == Withdrawn {
		return refuse(Conflict, `%s is %s: its end can't change; add "at" to bring it up again`, r.id, state)
	}
	end, err := x.resolveEnd(end)
	if err != nil {
		return err
	}
	if err := x.checkEnd(&record{Placed: r.placed, Tick: r.start, At: r.at, End: end}); err != nil {
		return err
	}
	x.emit(&record{Type: recEnd, ID: r.id, Rev: r.rev, End: end})
	return nil
}

// replace puts a new revision in the place of one that has not begun.
func (x *tx) replace(r *revision, sc script, newEnd bool) (*revision, error) {
	rec := &record{Type: recRev, ID: r.id, Rev: x.s.nextRev(r.id), Kind: sc.kind, Slot: sc.slot, At: r.at, Placed: r.placed, Tick: r.start, Asked: r.asked}
	if sc.at.By != byNothing {
		rec.Placed, rec.Tick = false, 0
		if err := x.placeAt(rec, sc.at); err != nil {
			return nil, err
		}
	}
	if !newEnd {
		sc.end = r.end
	}
	x.emit(&record{Type: recDrop, ID: r.id, Rev: r.rev})
	return x.putAt(sc, rec)
}

// goOn adds a revision to a cue that is up, or brings up one that is over.
func (x *tx) goOn(r *revision, state State, sc script, newEnd bool) (*revision, error) {
	rec := &record{Type: recRev, ID: r.id, Rev: x.s.nextRev(r.id), Kind: sc.kind, Slot: sc.slot, Asked: r.asked}
	if err := x.placeAt(rec, sc.at); err != nil {
		return nil, err
	}
	switch {
	case newEnd:
	case state == Active && rec.Placed && x.s.own(r) <= rec.Tick:
		return nil, refuse(Invalid, `at is behind the end of %s, which is %s: patch "duration" or "end", too`,
			r.id, x.s.show.date(x.s.own(r)).UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	case state == Active && x.s.own(r) != Open:
		sc.end = when{byMedia, x.s.own(r)}
	case r.end.By == byDuration:
		sc.end = r.end
	}
	return x.putAt(sc, rec)
}

// Undo takes a cue back: one that is pending will not be seen; one that is up ends now, and the one that it
// displaced comes back if it has not ended by itself.
func (t *Timeline) Undo(ctx context.Context, id string, key string) (Reply, error) {
	var reply Reply
	err := t.write("undo "+id, "", key, func(x *tx, old usedKey) {
		reply = Reply{Cue: x.lookUp(old.id), Repeated: true}
	}, func(x *tx) (string, int, error) {
		r, back, changed, err := x.undoCue(id)
		if err != nil {
			return "", 0, err
		}
		if reply = (Reply{Cue: x.view(r, true), Repeated: !changed}); changed {
			t.book.counts.undone.Add(1)
		}
		if back != nil {
			c := x.view(back, true)
			reply.Back = &c
		}
		return r.id, r.rev, nil
	})
	return reply, err
}

// undoCue takes a cue back. back is what has come up in its place.
func (x *tx) undoCue(id string) (r, back *revision, changed bool, err error) {
	c := x.s.cues[id]
	if c == nil {
		return nil, nil, false, noSuchCue(id)
	}
	r = c.latest()
	if r.withdrawn || r.undone {
		return r, nil, false, nil
	}
	if x.former(r) {
		return nil, nil, false, refuse(Conflict, "%s is of a show that has ended: there is nothing to take back", id)
	}
	up, now := r, x.clockNow()
	if x.stateOf(r) == Pending {
		x.emit(&record{Type: recDrop, ID: r.id, Rev: r.rev})
		if up = x.s.upOf(c, now); up == nil {
			return r, nil, true, nil
		}
	}
	if x.s.effective(up) <= now {
		return nil, nil, false, refuse(Conflict, "%s is over: there is nothing to take back", id)
	}
	if up.start >= now { // nobody has seen it
		x.emit(&record{Type: recDrop, ID: up.id, Rev: up.rev})
		return up, nil, true, nil
	}
	displaced := x.s.displacedBy(up)
	x.emit(&record{Type: recEnd, ID: up.id, Rev: up.rev, End: when{byMedia, now}, Undone: true})
	if displaced != nil && x.s.own(displaced) > now {
		if back, err = x.bringBack(displaced, now); err != nil {
			return nil, nil, false, err
		}
	}
	return up, back, true, nil
}

// upOf returns the revision of c that is up at now, nil if none is.
func (s *state) upOf(c *series, now int64) *revision {
	for _, r := range slices.Backward(c.revs) {
		if r.placed && !r.withdrawn && r.start <= now {
			if s.effective(r) > now {
				return r
			}
			return nil
		}
	}
	return nil
}

// displacedBy finds the cue that the one of r has displaced in its slot, and that would still be up without it;
// nil if there is none.
func (s *state) displacedBy(r *revision) *revision {
	for r != nil {
		r = s.firstOfRun(r)
		before := s.before(r)
		if before == nil {
			return nil
		}
		if !before.undone {
			last := s.cues[before.id].latest()
			if last != before || s.own(before) <= r.start {
				return nil // it is elsewhere by now, or had an end of its own
			}
			return before
		}
		// r came back when before was undone: what counts is what it had displaced at first.
		r = s.previous(r)
	}
	return nil
}

// firstOfRun returns the revision with which the cue of r came up in this slot: later ones follow without a gap.
func (s *state) firstOfRun(r *revision) *revision {
	for {
		p := s.previous(r)
		if p == nil || p.slot != r.slot || s.before(r) != p {
			return r
		}
		r = p
	}
}

// previous is the revision before r that was shown, nil if there is none.
func (s *state) previous(r *revision) *revision {
	c := s.cues[r.id]
	if c == nil {
		return nil
	}
	for i := seriesIndex(c.revs, r.rev) - 1; i >= 0; i-- {
		if p := c.revs[i]; p.placed && !p.withdrawn {
			return p
		}
	}
	return nil
}

// before is what r's slot had before r, nil if it was empty.
func (s *state) before(r *revision) *revision {
	b := r.displaced
	if l := s.slots[r.slot]; slotIndex(l, r) > 0 {
		b = l[slotIndex(l, r)-1]
	}
	if b == nil || s.find(b.id, b.rev) != b || s.effective(b) != r.start && !b.undone {
		return nil
	}
	return b
}

// bringBack puts a cue up again that was displaced.
func (x *tx) bringBack(r *revision, at int64) (*revision, error) {
	sc, _, err := r.patched(nil, false)
	if err != nil {
		return nil, err
	}
	if own := x.s.own(r); own != Open {
		sc.end = when{byMedia, own}
	}
	rec := &record{
		Type: recRev, ID: r.id, Rev: x.s.nextRev(r.id), Kind: r.kind, Slot: r.slot, At: when{By: byNow}, Placed: true, Tick: at, Asked: r.asked,
	}
	return x.putAt(sc, rec)
}
