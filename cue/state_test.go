package cue

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// text is all that a state knows, for comparison.
func (s *state) text() string {
	var b strings.Builder
	for _, rec := range s.dump("shop", 0) {
		b.Write(appendLine(nil, rec))
	}
	return b.String()
}

// timeline says when each revision is seen, as its effective times tell.
func (s *state) timeline() string {
	var out []string
	for _, c := range s.cues {
		for _, r := range c.revs {
			if r.placed && !r.withdrawn {
				out = append(out, fmt.Sprint(r.key(), r.start, s.effective(r)))
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// randomRecord makes a record that fits the state, or nearly.
func randomRecord(r *rand.Rand, s *state, wall int64) *record {
	id := fmt.Sprint("id-", r.IntN(8))
	slot := fmt.Sprint("slot-", r.IntN(3))
	rev := s.nextRev(id)
	now := int64(10 * Timescale)
	rec := &record{ID: id, Rev: max(1, rev-1), Wall: wall}
	switch r.IntN(16) {
	case 0, 1, 2, 3, 4:
		rec.Type, rec.Rev, rec.Kind, rec.Slot = recRev, rev, kindHide, slot
		rec.Doc = script{kind: kindHide, slot: slot}.document(id, rev)
		rec.At = []when{{By: byNow}, {byMedia, now}, {byDate, wall * 1e6}, {By: byKeyframe}, {By: byShow}}[r.IntN(5)]
		if rec.Placed = s.on && rec.At.By != byKeyframe && rec.At.By != byShow; rec.Placed {
			rec.Tick = now + r.Int64N(Timescale)
		}
		rec.End = []when{{}, {byDuration, r.Int64N(5*Timescale) + 1}, {byMedia, now + r.Int64N(Timescale)}, {byDate, wall*1e6 + 1e9}}[r.IntN(4)]
	case 5:
		rec.Type, rec.Tick = recPlace, now+r.Int64N(Timescale)
	case 6, 7:
		rec.Type, rec.Undone, rec.End = recEnd, r.IntN(2) == 0, when{byMedia, now + r.Int64N(Timescale)}
	case 8, 9:
		rec.Type = recDrop
	case 10:
		stock := r.Int64N(10)
		rec.Type, rec.Product = recFact, id
		if stock > 2 {
			rec.Stock = &stock
		}
	case 11:
		d := time.Duration(r.IntN(5)) * time.Second
		rec.Type, rec.Delay = recDelay, &d
	case 12:
		rec.Type, rec.Key, rec.Asked = recKey, fmt.Sprint("key-", r.IntN(20)), "x"
	case 13:
		rec.Type, rec.Title, rec.None = recLoad, id, r.IntN(3) == 0
	case 14:
		rec.Type, rec.Doc = recItem, script{kind: kindHide, slot: slot}.document(id, 0)
	case 15:
		rec.Type, rec.Position = []recordType{recStep, recUnstep}[r.IntN(2)], r.IntN(4)
	}
	return rec
}

// TestStateRandom applies random records. At each moment what is taken back leaves nothing behind, and what is
// dumped makes the same state again.
func TestStateRandom(t *testing.T) {
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newState()
		wall := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC).UnixMilli()
		for step := range 120 {
			wall += r.Int64N(2000)
			switch r.IntN(30) {
			case 0:
				s.apply(&record{Type: recBegin, Epoch: fmt.Sprint("e", step), Start: wall*1e6 - 1e9 + r.Int64N(1e6), Tick: Timescale, Wall: wall, Resumed: r.IntN(2) == 0})
			case 1:
				s.apply(&record{Type: recOver, Tick: 10*Timescale + Timescale/2, Wall: wall})
			default:
				rec := randomRecord(r, s, wall)
				before := s.text() + s.timeline()
				undo := s.apply(rec)
				if r.IntN(2) == 0 && rec.Type != recPlace { // what has happened is not taken back
					if undo(); s.text()+s.timeline() != before {
						t.Fatalf("seed %d step %d: taken back, %+v leaves\n%s\nof\n%s", seed, step, rec, s.text()+s.timeline(), before)
					}
				}
			}
			if step%5 != 0 {
				continue
			}
			again := newState()
			good, bad, err := readJournal(strings.NewReader(s.text()), func(rec *record) { again.apply(rec) })
			if err != nil || bad > 0 || good != int64(len(s.text())) {
				t.Fatal(good, bad, err)
			}
			if again.text() != s.text() || again.timeline() != s.timeline() {
				t.Fatalf("seed %d step %d: read again, it is\n%s\n%s\nand was\n%s\n%s", seed, step, again.text(), again.timeline(), s.text(), s.timeline())
			}
			s.check(t)
		}
	}
}

// check finds contradictions in a state.
func (s *state) check(t *testing.T) {
	t.Helper()
	count, size := 0, 0
	for id, c := range s.cues {
		if len(c.revs) == 0 {
			t.Errorf("%s has no revision", id)
		}
		for i, r := range c.revs {
			count++
			size += len(r.doc)
			if i > 0 && r.rev <= c.revs[i-1].rev {
				t.Errorf("%s.%d follows %d", id, r.rev, c.revs[i-1].rev)
			}
			inSlot, waits := slices.Contains(s.slots[r.slot], r), slices.Contains(s.waiting, r)
			switch {
			case inSlot && waits, inSlot && (r.withdrawn || !r.placed), waits && (r.withdrawn || r.placed):
				t.Errorf("%s: in its slot %v, waits %v: %+v", r.key(), inSlot, waits, r)
			case !inSlot && !waits && !r.withdrawn && !r.settled && s.on:
				t.Errorf("%s is nowhere: %+v", r.key(), r)
			}
			if !bytes.Contains(r.doc, fmt.Appendf(nil, `"rev":%d,`, r.rev)) {
				t.Errorf("%s has the document %s", r.key(), r.doc)
			}
		}
	}
	if count != s.count || size != s.bytes {
		t.Errorf("%d revisions of %d bytes, counted %d of %d", count, size, s.count, s.bytes)
	}
}

// The slot rule: what begins ends what is there; own ends count where they come first.
func TestSlots(t *testing.T) {
	s := newState()
	s.apply(&record{Type: recBegin, Epoch: "e", Start: 1, Tick: Timescale})
	add := func(id, slot string, start int64, end when) {
		s.apply(&record{Type: recRev, ID: id, Rev: s.nextRev(id), Slot: slot, Placed: true, Tick: start, End: end, Doc: []byte("{}")})
	}
	add("a", "main", 10, when{})
	add("b", "main", 30, when{byDuration, 5})
	add("c", "main", 20, when{})
	add("d", "side", 25, when{})
	add("e", "main", 50, when{byMedia, 60})
	add("f", "main", 50, when{byMedia, 70}) // at the same frame: the later one counts
	add("a", "other", 55, when{})           // a newer revision takes the place of the older one, wherever that is
	add("d", "other", 65, when{})
	want := "a.110 20\na.255 65\nb.130 35\nc.120 30\nd.125 65\nd.265 9223372036854775807\ne.150 50\nf.150 70"
	if got := strings.ReplaceAll(s.timeline(), "\n", "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	s.settle(40, func(*revision) {})
	if got := s.timeline(); got != want {
		t.Errorf("settled\n%s\nwant\n%s", got, want)
	}
	if n := len(s.slots["main"]); n != 2 {
		t.Errorf("%d are left in the slot", n)
	}
}

// A date survives any number of restarts to the millisecond, and the document's number never repeats.
func TestRebase(t *testing.T) {
	s := newState()
	start := time.Date(2026, 11, 21, 20, 0, 0, 123456789, time.UTC)
	s.apply(&record{Type: recBegin, Epoch: "e0", Start: start.UnixNano(), Tick: Timescale})
	s.apply(&record{Type: recRev, ID: "a", Rev: 1, Placed: true, Tick: 7*Timescale + 33, Doc: []byte("{}")})
	r := s.find("a", 1)
	date := s.show.date(r.start).Truncate(time.Millisecond)
	for i := range 1000 {
		start = start.Add(time.Duration(i)*13_777_777 + 1)
		s.apply(&record{Type: recBegin, Epoch: fmt.Sprint("e", i+1), Start: start.UnixNano(), Tick: Timescale, Resumed: true})
		if got := s.show.date(r.start).Truncate(time.Millisecond); !got.Equal(date) {
			t.Fatalf("after %d restarts it is at %v, and was at %v", i+1, got, date)
		}
	}
}
