package cue

import (
	"slices"
	"time"
)

const (
	// maxSteps bounds the steps that can be taken back.
	maxSteps = 100
	// sameShow is how long a run of show keeps its position without a show: a host who was away for a
	// few minutes goes on where he was, next week's show begins at the beginning.
	sameShow = time.Hour
)

// rundown is a run of show as a state has it.
type rundown struct {
	title    string
	items    []runItem
	position int // items stepped to so far, from 1
	steps    []step
}

type runItem struct {
	id    string
	doc   []byte // content document of revision 0
	at    when   // nothing: waits for its step
	end   when
	kind  string
	slot  string
	title string // for the producer's eye
}

// step is what a Next or Previous has done.
type step struct {
	from, to int
	id       string
	rev      int
}

// begins is told that a new show begins, some time after the last.
func (r *rundown) begins(away time.Duration) {
	if r.steps = nil; away > sameShow {
		r.position = 0
	}
}

// applyRun is apply for the records of a run of show.
func (s *state) applyRun(rec *record) (undo func()) {
	old := s.run
	switch {
	case rec.Type == recLoad && rec.None:
		s.run = nil
	case rec.Type == recLoad:
		s.run = &rundown{title: rec.Title, position: rec.Position}
	case old == nil:
	case rec.Type == recItem:
		it := runItem{id: rec.ID, doc: rec.Doc, at: rec.At, end: rec.End}
		if sc, err := it.script(); err == nil {
			it.kind, it.slot, it.title = sc.kind, sc.slot, sc.title()
		}
		old.items = append(old.items, it)
		return func() { old.items = old.items[:len(old.items)-1] }
	default:
		position, steps := old.position, slices.Clone(old.steps)
		old.step(rec)
		return func() { old.position, old.steps = position, steps }
	}
	return func() { s.run = old }
}

func (r *rundown) step(rec *record) {
	if n := len(r.steps); rec.Type == recUnstep {
		if n > 0 {
			r.position = r.steps[n-1].from
			r.steps = r.steps[:n-1]
		}
		return
	}
	if len(r.steps) == maxSteps {
		r.steps = slices.Delete(r.steps, 0, 1)
	}
	r.steps = append(r.steps, step{r.position, rec.Position, rec.ID, rec.Rev})
	r.position = rec.Position
}

// find returns the index of the item called id, -1 if there is none.
func (r *rundown) find(id string) int {
	return slices.IndexFunc(r.items, func(it runItem) bool { return it.id == id })
}
