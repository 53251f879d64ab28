package cue

import (
	"maps"
	"slices"
)

// journalVersion is that of the records' meaning.
const journalVersion = 1

// dump returns records that make a new state what s is, leaving out what need not be remembered any more at
// the time wall.
func (s *state) dump(name string, wall int64) []*record {
	out := []*record{{Type: recHead, Version: journalVersion, Name: name, Wall: wall}}
	for _, id := range slices.Sorted(maps.Keys(s.used)) {
		if u := s.used[id]; wall-u.wall <= memory.Milliseconds() {
			out = append(out, &record{Type: recID, ID: id, Rev: u.rev, Wall: u.wall})
		}
	}
	out = append(out, s.dumpCues()...)
	for _, p := range slices.Sorted(maps.Keys(s.facts)) {
		f := s.facts[p]
		out = append(out, &record{Type: recFact, Product: p, Stock: f.Stock, Prices: f.Prices, Wall: f.Updated.UnixMilli()})
	}
	if s.delay != nil {
		out = append(out, &record{Type: recDelay, Delay: s.delay})
	}
	for _, k := range s.keyAge {
		if u := s.keys[k]; wall-u.wall <= keyMemory.Milliseconds() {
			out = append(out, &record{Type: recKey, Key: k, Asked: u.asked, ID: u.id, Rev: u.rev, Wall: u.wall})
		}
	}
	return append(out, s.dumpRun()...)
}

// dumpCues has the show, its cues, its end, and what waits for the next.
func (s *state) dumpCues() []*record {
	var out []*record
	if s.show.epoch != "" {
		out = append(out, &record{Type: recBegin, Epoch: s.show.epoch, Start: s.show.start.UnixNano(), Wall: s.alive})
	}
	var all []*revision
	for _, c := range s.cues {
		all = append(all, c.revs...)
	}
	slices.SortFunc(all, bySeq)
	var next []*record
	for _, r := range all {
		recs := r.records()
		if !s.on && !r.placed && !r.withdrawn {
			next = append(next, recs...)
			continue
		}
		out = append(out, recs...)
	}
	if s.show.epoch != "" && !s.on {
		out = append(out, &record{Type: recOver, Tick: s.ended, Wall: s.alive})
	}
	return append(out, next...)
}

// records make a revision what it is.
func (r *revision) records() []*record {
	out := []*record{{
		Type: recRev, ID: r.id, Rev: r.rev, Kind: r.kind, Slot: r.slot, Doc: r.doc, At: r.at, End: r.end,
		Placed: r.placed, Undone: r.undone, Until: r.until, Asked: r.asked,
	}}
	if r.placed {
		out[0].Tick = r.start
	}
	if r.withdrawn {
		out = append(out, &record{Type: recDrop, ID: r.id, Rev: r.rev})
	}
	return out
}

func (s *state) dumpRun() []*record {
	if s.run == nil {
		return nil
	}
	out := []*record{{Type: recLoad, Title: s.run.title}}
	for _, it := range s.run.items {
		out = append(out, &record{Type: recItem, ID: it.id, Doc: it.doc, At: it.at, End: it.end})
	}
	if steps := s.run.steps; len(steps) > 0 {
		out[0].Position = steps[0].from
		for _, st := range steps {
			out = append(out, &record{Type: recStep, Position: st.to, ID: st.id, Rev: st.rev})
		}
	} else {
		out[0].Position = s.run.position
	}
	return out
}
