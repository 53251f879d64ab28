package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// cueModel says what is up at each moment of a show, as docs/cues.md has it, in the plainest way there is: it
// goes through all revisions for each question. Times are program date-times in milliseconds.
type cueModel struct {
	revs []*modelRev // in the order in which they were made
}

// modelRev is one revision of a cue.
type modelRev struct {
	id         string
	rev        int
	kind, slot string
	start, end int64 // end is its own: never, if it has none
	exact      int64 // start in nanoseconds, for the order of those that begin in the same millisecond
	lasts      int64 // if its own end counts from its start
	waits      bool  // start is not known yet
	withdrawn  bool
	undone     bool
}

// never is an end that does not come.
const never = math.MaxInt64

func (r *modelRev) key() string { return fmt.Sprintf("%s.%d", r.id, r.rev) }

// find returns a revision, nil if there is none.
func (m *cueModel) find(id string, rev int) *modelRev {
	for _, r := range m.revs {
		if r.id == id && r.rev == rev {
			return r
		}
	}
	return nil
}

// latest returns the newest revision of a cue, nil if there is none.
func (m *cueModel) latest(id string) *modelRev {
	for _, r := range slices.Backward(m.revs) {
		if r.id == id {
			return r
		}
	}
	return nil
}

// holder returns the revision that has taken a slot last at time at, whether or not it is still up; nil if there
// is none.
func (m *cueModel) holder(slot string, at int64) (last *modelRev) {
	for _, r := range m.revs {
		if r.slot == slot && !r.waits && !r.withdrawn && r.start <= at && (last == nil || r.exact >= last.exact) {
			last = r
		}
	}
	return last
}

// before is the latest start of the revisions of the same cue before r.
func (m *cueModel) before(r *modelRev) (at int64) {
	for _, o := range m.revs {
		if o.id == r.id && o.rev < r.rev && !o.waits && !o.withdrawn {
			at = max(at, o.start)
		}
	}
	return at
}

// replaced is when the first newer revision of the same cue takes over from r.
func (m *cueModel) replaced(r *modelRev) int64 {
	at := int64(never)
	for _, n := range m.revs {
		if n.id == r.id && n.rev > r.rev && !n.waits && !n.withdrawn {
			at = min(at, n.start)
		}
	}
	return at
}

// up returns the revision that is up in a slot at time at, nil if nothing is.
func (m *cueModel) up(slot string, at int64) *modelRev {
	r := m.holder(slot, at)
	if r == nil || r.end <= at || m.replaced(r) <= at {
		return nil
	}
	return r
}

// slots are the names of all slots, in order.
func (m *cueModel) slots() []string {
	var names []string
	for _, r := range m.revs {
		names = append(names, r.slot)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// picture says what is up at a time in all slots.
func (m *cueModel) picture(at int64) string {
	var keys []string
	for _, slot := range m.slots() {
		if r := m.up(slot, at); r != nil {
			keys = append(keys, r.key())
		}
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

// ends is when r ends, whatever ends it; start or before if it was never up.
func (m *cueModel) ends(r *modelRev) int64 {
	end := min(r.end, m.replaced(r))
	if r.withdrawn {
		return r.start
	}
	behind := false
	for _, n := range m.revs {
		if n == r {
			behind = true
		}
		if n != r && n.slot == r.slot && !n.waits && !n.withdrawn && (n.exact > r.exact || n.exact == r.exact && behind) {
			end = min(end, n.start)
		}
	}
	return end
}

// endsAt reports whether something ends in that very millisecond.
func (m *cueModel) endsAt(at int64) bool {
	return slices.ContainsFunc(m.revs, func(r *modelRev) bool { return m.ends(r) == at })
}

// heldBefore returns what an undo of up should bring back at now: what was up in its slot just before its cue
// took that, if it had no end of its own that has passed, and is not elsewhere by now. certain is false where the
// model would have to follow a chain of undone cues.
func (m *cueModel) heldBefore(up *modelRev, now int64) (back *modelRev, certain bool) {
	first := up
	for {
		before := m.holder(up.slot, first.start-1)
		if before == nil || before.id != first.id || m.ends(before) != first.start {
			break
		}
		first = before
	}
	for _, r := range m.revs {
		if r != first && r.slot == up.slot && !r.waits && !r.withdrawn && r.start == first.start {
			return nil, false // it has not been up, and may be what up has displaced
		}
	}
	before := m.holder(up.slot, first.start-1)
	switch {
	case before == nil:
		return nil, true
	case before.undone:
		return nil, false
	case m.ends(before) != first.start, before.end <= first.start, before.end <= now, m.latest(before.id) != before:
		return nil, true
	}
	return before, true
}

// mark is what a player has heard of a revision, by date ranges.
type rangeMark struct {
	id         string
	rev        int
	slot       string
	start, end int64
	heard      int
}

// playerPicture says what a player shows that follows web/overlay/timeline.js: of a cue the highest revision that
// has begun, of a slot the one that began last, until its end.
func playerPicture(marks map[string]*rangeMark, at int64) string {
	byID := make(map[string]*rangeMark)
	all := make([]*rangeMark, 0, len(marks))
	for _, m := range marks {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *rangeMark) int { return cmp.Compare(a.heard, b.heard) })
	for _, m := range all {
		if m.start > at || m.end <= m.start {
			continue
		}
		if old := byID[m.id]; old == nil || old.rev <= m.rev {
			byID[m.id] = m
		}
	}
	bySlot := make(map[string]*rangeMark)
	for _, m := range all {
		if byID[m.id] != m {
			continue
		}
		if old := bySlot[m.slot]; old == nil || old.start <= m.start {
			bySlot[m.slot] = m
		}
	}
	var keys []string
	for _, m := range bySlot {
		if at < m.end {
			keys = append(keys, fmt.Sprintf("%s.%d", m.id, m.rev))
		}
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

func milli(t time.Time) int64 { return t.Truncate(time.Millisecond).UnixMilli() }
