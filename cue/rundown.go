package cue

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
)

// Load takes a run of show, YAML or JSON, in place of the one that is there: items with a time become cues,
// all at once or none; the others wait for Next. Cues of the former run that have not begun are withdrawn.
func (t *Timeline) Load(ctx context.Context, body []byte, key string) (Rundown, error) {
	title, items, err := parseRundown(body)
	if err != nil {
		t.book.counts.refused.Add(1)
		return Rundown{}, err
	}
	return t.stepping("load", body, key, func(x *tx) (*revision, *revision, error) {
		return nil, nil, x.loadRun(title, items)
	})
}

// Unload takes the run of show away. Its cues that have not begun are withdrawn.
func (t *Timeline) Unload(ctx context.Context, key string) (Rundown, error) {
	return t.stepping("unload", nil, key, func(x *tx) (*revision, *revision, error) {
		x.clearRun()
		return nil, nil, nil
	})
}

// Next puts the next item of the run of show up. body is empty, or {"at": ...}.
func (t *Timeline) Next(ctx context.Context, body []byte, key string) (Rundown, error) {
	return t.step(ctx, "next", +1, body, key)
}

// Previous puts the item before the present one up again.
func (t *Timeline) Previous(ctx context.Context, body []byte, key string) (Rundown, error) {
	return t.step(ctx, "previous", -1, body, key)
}

func (t *Timeline) step(ctx context.Context, op string, by int, body []byte, key string) (Rundown, error) {
	at, err := parseStep(body)
	if err != nil {
		t.book.counts.refused.Add(1)
		return Rundown{}, err
	}
	var wait <-chan struct{}
	run, err := t.stepping(op, body, key, func(x *tx) (*revision, *revision, error) {
		r, err := x.stepTo(x.position()+by, at)
		if err == nil {
			wait = x.waitFor(r)
		}
		return r, nil, err
	})
	if err != nil || run.Cue == nil {
		return run, err
	}
	reply, err := t.answer(ctx, Reply{Cue: *run.Cue}, wait)
	run.Cue = &reply.Cue
	return run, err
}

// UndoStep takes the last Next or Previous back.
func (t *Timeline) UndoStep(ctx context.Context, key string) (Rundown, error) {
	return t.stepping("undo step", nil, key, func(x *tx) (*revision, *revision, error) { return x.unstep() })
}

// stepping is a write to the run of show. do returns the cue that it has put up or taken down, and the one
// that has come back.
func (t *Timeline) stepping(op string, body []byte, key string, do func(*tx) (r, back *revision, err error)) (run Rundown, err error) {
	err = t.write(op, string(body), key, func(x *tx, old usedKey) {
		if run = x.rundown(); old.id != "" {
			c := x.lookUp(old.id)
			run.Cue = &c
		}
		run.Repeated = true
	}, func(x *tx) (string, int, error) {
		r, back, err := do(x)
		if err != nil {
			return "", 0, err
		}
		run = x.rundown()
		if back != nil {
			c := x.view(back, true)
			run.Back = &c
		}
		if r == nil {
			return "", 0, nil
		}
		c := x.view(r, true)
		run.Cue = &c
		return r.id, r.rev, nil
	})
	return run, err
}

// loadRun replaces the run of show.
func (x *tx) loadRun(title string, items []script) error {
	x.clearRun()
	x.emit(&record{Type: recLoad, Title: title})
	for i, sc := range items {
		x.emit(&record{Type: recItem, ID: sc.id, Doc: sc.document(sc.id, 0), At: sc.at, End: sc.end})
		if sc.at.By == byNothing {
			continue
		}
		if c := x.s.cues[sc.id]; c != nil && !x.former(c.latest()) && x.stateOf(c.latest()) == Pending {
			return refuse(Conflict, "items[%d]: %s is pending already, and of no run of show: undo it, or take another id", i, sc.id)
		}
		if _, err := x.put(sc, sc.digest()); err != nil {
			e := *err.(*Error)
			e.Reason = "items[" + strconv.Itoa(i) + "] (" + sc.id + "): " + e.Reason
			return &e
		}
	}
	return nil
}

// clearRun takes the run of show away, and the cues of its plan that have not begun.
func (x *tx) clearRun() {
	if x.s.run == nil {
		return
	}
	for _, it := range x.s.run.items {
		if c := x.s.cues[it.id]; c != nil && it.at.By != byNothing && x.stateOf(c.latest()) == Pending {
			x.emit(&record{Type: recDrop, ID: it.id, Rev: c.latest().rev})
		}
	}
	x.emit(&record{Type: recLoad, None: true})
}

// position is how many items have had their turn: by steps, or by their planned times since the last step.
func (x *tx) position() int {
	run := x.s.run
	if run == nil {
		return 0
	}
	since := int64(math.MinInt64)
	if n := len(run.steps); n > 0 {
		if r := x.s.find(run.steps[n-1].id, run.steps[n-1].rev); r != nil && r.placed {
			since = r.start
		}
	}
	position := run.position
	for i := position; i < len(run.items); i++ {
		it := run.items[i]
		if c := x.s.cues[it.id]; it.at.By != byNothing && c != nil && x.begunSince(c, since) {
			position = i + 1
		}
	}
	return position
}

// begunSince reports whether a cue has come up behind a media time.
func (x *tx) begunSince(c *series, since int64) bool {
	return slices.ContainsFunc(c.revs, func(r *revision) bool {
		return r.placed && !r.withdrawn && r.start > since && r.start <= x.clockNow()
	})
}

// stepTo puts the item up that is at a position, from 1.
func (x *tx) stepTo(position int, at when) (*revision, error) {
	run := x.s.run
	switch {
	case run == nil:
		return nil, refuse(NotFound, "there is no run of show: load one first")
	case position > len(run.items):
		return nil, refuse(Conflict, "the run of show is at its end, item %d of %d", len(run.items), len(run.items))
	case position < 1:
		return nil, refuse(Conflict, "the run of show is at its beginning: there is nothing before")
	}
	it := run.items[position-1]
	sc, err := it.script()
	if err != nil {
		return nil, err
	}
	sc.at = cmp.Or(at, when{By: byNow})
	if sc.end.By == byDate || sc.end.By == byMedia || sc.end.By == byAfter {
		sc.end = when{} // it was planned along with the start
	}
	asked := sc.digest()
	if c := x.s.cues[it.id]; c != nil && !x.former(c.latest()) && x.stateOf(c.latest()) == Pending {
		x.emit(&record{Type: recDrop, ID: it.id, Rev: c.latest().rev})
	}
	r, err := x.put(sc, asked)
	if err != nil {
		return nil, err
	}
	x.t.book.counts.created.Add(1)
	x.emit(&record{Type: recStep, Position: position, ID: r.id, Rev: r.rev})
	return r, nil
}

// unstep takes the last step back.
func (x *tx) unstep() (r, back *revision, err error) {
	run := x.s.run
	if run == nil || len(run.steps) == 0 {
		return nil, nil, refuse(Conflict, "no step of the run of show is there to take back")
	}
	last := run.steps[len(run.steps)-1]
	if c := x.s.cues[last.id]; c != nil && c.latest().rev == last.rev {
		if state := x.stateOf(c.latest()); !x.former(c.latest()) && (state == Active || state == Pending) {
			if r, back, _, err = x.undoCue(last.id); err != nil {
				return nil, nil, err
			}
			x.t.book.counts.undone.Add(1)
		}
	}
	x.emit(&record{Type: recUnstep})
	return r, back, nil
}

// script is what an item says.
func (it runItem) script() (script, error) {
	v, err := readJSON(it.doc)
	if err != nil {
		return script{}, err
	}
	o, _ := v.(object)
	sc, err := checkScript(o.without("rev"))
	sc.at, sc.end = it.at, it.end
	return sc, err
}

// rundown says how the run of show is.
func (x *tx) rundown() Rundown {
	out := Rundown{Items: []Item{}}
	run := x.s.run
	if run == nil {
		return out
	}
	out.Title, out.Position, out.Length = run.title, x.position(), len(run.items)
	for _, it := range run.items {
		item := Item{ID: it.id, Kind: it.kind, Slot: it.slot, Title: it.title, Planned: it.at.String()}
		if c := x.s.cues[it.id]; c != nil {
			item.State = x.stateOf(c.latest())
		}
		out.Items = append(out.Items, item)
	}
	return out
}
